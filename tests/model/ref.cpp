// core/ref.hpp: the last owner sees what all the others wrote.
#include "harness.hpp"

#include <skua/core/ref.hpp>

#include <optional>

using namespace skua;

namespace {

struct Shared : RefCounted<Shared> {
  explicit Shared(int* count) : destroyed(count) {}
  ~Shared() {
    for (const auto& mark : marks) model::check(mark.read() == 1, "the destructor sees every owner's write");
    ++*destroyed;
  }
  int* const destroyed;
  model::Var<int> marks[3] = {model::Var(0), model::Var(0), model::Var(0)};
};

struct LastOwner : rl::test_suite<LastOwner, 3> {
  void before() {
    owners[0] = make_ref<Shared>(&destroyed);
    owners[1] = owners[0];
    owners[2] = owners[0];
  }
  void thread(unsigned i) {
    const Ref<Shared> mine = std::move(owners[i]);
    mine->marks[i].write(1);
  }
  void after() { model::check(destroyed == 1, "destroyed once"); }

  Ref<Shared> owners[3];
  int destroyed = 0;
};

// An owner is added by a thread that holds one, while another thread drops its own.
struct CopyWhileDropping : rl::test_suite<CopyWhileDropping, 2> {
  void before() {
    owners[0] = make_ref<Shared>(&destroyed);
    owners[1] = owners[0];
  }
  void thread(unsigned i) {
    const Ref<Shared> mine = std::move(owners[i]);
    const Ref<Shared> copy = mine;
    copy->marks[i].write(1);
    if (i == 0) copy->marks[2].write(1);
  }
  void after() { model::check(destroyed == 1, "destroyed once"); }

  Ref<Shared> owners[2];
  int destroyed = 0;
};

}  // namespace

int main(int argc, char** argv) {
  model::Runner runner("ref", argc, argv);
  runner.run<LastOwner, model::Search::full>("last_owner_sees_all_writes");
  runner.run<CopyWhileDropping, model::Search::full>("copy_while_another_drops");
  return runner.exit_code();
}
