// A runtime that is built while the kernel refuses something: it says what, and leaves nothing behind; or it can do
// without, and works.
#include "../runtime/each_runtime.hpp"
#include "../support/watchdog.hpp"
#include "fault_plan.hpp"
#include "peer.hpp"
#include "tasks.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace skua::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t workers = 2;

struct Refusal {
  const char* name;
  Backend backend;
  ReactorMode mode;
  Call call;
  int nth;  // 0: always
  int error;
  const char* reported_as;  // null: the runtime can do without
};
std::string name_of(const Refusal& refusal) {
  return std::string(refusal.name) + "_" + (refusal.nth == 0 ? "always" : std::to_string(refusal.nth)) + "_" +
         ::strerrorname_np(refusal.error);
}
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << name_of(refusal); }

// What each worker and the reactor thread has, one after the other.
std::vector<Refusal> each_of(int count, Refusal refusal, std::initializer_list<int> errors) {
  std::vector<Refusal> all;
  for (const int error : errors) {
    for (int nth = 1; nth <= count; ++nth) {
      refusal.nth = nth;
      refusal.error = error;
      all.push_back(refusal);
    }
  }
  return all;
}

std::vector<Refusal> all_refusals() {
  const auto shortage = {EMFILE, ENFILE, ENOMEM};
  const auto in_thread = ReactorMode::thread;
  const auto in_workers = ReactorMode::workers;
  const int drivers = static_cast<int>(workers) + 1;
  std::vector<Refusal> all;
  const auto add = [&all](std::vector<Refusal> some) { all.insert(all.end(), some.begin(), some.end()); };
  add(each_of(drivers, {"epoll", Backend::epoll, in_workers, Call::epoll_create, 0, 0, "epoll_create1"}, shortage));
  add(each_of(1, {"epoll_thread", Backend::epoll, in_thread, Call::epoll_create, 0, 0, "epoll_create1"}, shortage));
  add(each_of(drivers, {"eventfd_of_epoll", Backend::epoll, in_workers, Call::eventfd, 0, 0, "eventfd"}, shortage));
  add(each_of(drivers, {"epoll_ctl", Backend::epoll, in_workers, Call::epoll_ctl, 0, 0, "epoll_ctl"},
              {ENOMEM, ENOSPC}));
  add(each_of(drivers, {"eventfd_of_ring", Backend::io_uring, in_workers, Call::eventfd, 0, 0, "eventfd"}, shortage));
  add(each_of(drivers, {"ring", Backend::io_uring, in_workers, Call::ring_set_up, 0, 0, "io_uring_setup"},
              {EPERM, ENOSYS, ENOMEM, EMFILE, EINVAL}));
  add(each_of(1, {"ring_thread", Backend::io_uring, in_thread, Call::ring_set_up, 0, 0, "io_uring_setup"},
              {EPERM, ENOSYS, ENOMEM, EMFILE, EINVAL}));
  add(each_of(drivers, {"ring_enter", Backend::io_uring, in_workers, Call::ring_fetch, 0, 0, "io_uring_enter"},
              {EPERM, ENOSYS}));
  add(each_of(drivers, {"ring_register", Backend::io_uring, in_workers, Call::ring_probe, 0, 0, "io_uring_register"},
              {EPERM, ENOSYS}));
  add(each_of(
      drivers,
      {"threads_of_epoll", Backend::epoll, in_workers, Call::start_thread, 0, 0, "start the threads of the runtime"},
      {EAGAIN}));
  add(each_of(drivers,
              {"threads_of_io_uring", Backend::io_uring, in_workers, Call::start_thread, 0, 0,
               "start the threads of the runtime"},
              {EAGAIN}));

  // Any ring that is refused to a runtime that may choose: then it is epoll for all.
  for (const auto& [name, call] :
       {std::pair("automatic_ring", Call::ring_set_up), std::pair("automatic_enter", Call::ring_fetch),
        std::pair("automatic_register", Call::ring_probe)}) {
    add(each_of(drivers, {name, Backend::automatic, in_workers, call, 0, 0, nullptr}, {EPERM, ENOSYS, ENOMEM, EMFILE}));
    for (const int error : {EPERM, ENOSYS})
      all.push_back({name, Backend::automatic, in_workers, call, 0, error, nullptr});
  }
  // By its owner, when it is first used: tried again.
  add(each_of(drivers, {"ring_enable", Backend::io_uring, in_workers, Call::ring_enable, 0, 0, nullptr},
              {EINTR, EAGAIN, EBUSY, ENOMEM}));
  return all;
}

class construction : public testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(without, construction, testing::ValuesIn(all_refusals()),
                         [](const auto& parameter) { return name_of(parameter.param); });

Task<bool> works() {
  const EchoPeer peer;
  TcpStream stream = (co_await TcpStream::connect(peer.address())).value();
  co_await sleep(1ms);
  co_return (co_await echoes(stream)).has_value();
}

TEST_P(construction, reports_or_does_without) {
  const Refusal& refusal = GetParam();
  const auto make = [&](Backend backend) {
    return Builder().backend(backend).reactor_mode(refusal.mode).workers(workers).build();
  };
  // What may choose io_uring would choose it.
  const Backend tried = refusal.backend == Backend::automatic ? Backend::io_uring : refusal.backend;
  if (auto possible = make(tried); !possible) GTEST_SKIP() << "refused here anyhow: " << possible.error().message();
  const std::size_t descriptors = open_descriptors();
  const std::size_t threads = running_threads();
  {
    FaultPlan plan;
    const Watchdog dog(watchdog, [&] { return name_of(refusal) + "\n" + plan.describe(); });
    auto rule = plan.on(refusal.call);
    (refusal.nth == 0 ? rule.always() : rule.nth(static_cast<std::uint64_t>(refusal.nth))).fails(refusal.error);
    auto runtime = make(refusal.backend);
    if (refusal.reported_as != nullptr) {
      ASSERT_FALSE(runtime);
      EXPECT_EQ(runtime.error().operation(), std::string_view(refusal.reported_as));
      EXPECT_EQ(runtime.error().code().value(), refusal.error);
    } else {
      ASSERT_TRUE(runtime) << runtime.error().message();
      auto handle = runtime->spawn(works());
      auto result = await_within(handle);
      ASSERT_TRUE(result) << plan.describe();
      EXPECT_TRUE(std::move(*result).value());
    }
    // A worker makes its first calls when it comes to it.
    EXPECT_TRUE(plan.wait_delivered(1, watchdog)) << "the fault was not delivered; this has shown nothing";
    if (refusal.nth != 0) {
      EXPECT_EQ(plan.delivered(), 1);
    }
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; }))
      << open_descriptors() << " of " << descriptors;
  EXPECT_TRUE(eventually([&] { return running_threads() <= threads; })) << running_threads() << " of " << threads;
}

}  // namespace
}  // namespace skua::tests
