#include <skua/core/kernel.hpp>
#include <skua/core/mutex.hpp>
#include <skua/io/owned_fd.hpp>
#include <skua/net/reserve_descriptor.hpp>

#include <fcntl.h>
#include <sys/socket.h>

namespace skua {

namespace {

constinit seam::Mutex mutex;
constinit std::size_t holders SKUA_GUARDED_BY(mutex) = 0;
constinit int reserve SKUA_GUARDED_BY(mutex) = -1;  // not an OwnedFd: a listener may outlive static objects

void take_reserve() noexcept SKUA_REQUIRES(mutex) { reserve = kernel::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }
void give_reserve_up() noexcept SKUA_REQUIRES(mutex) {
  if (reserve >= 0) kernel::close(reserve);
  reserve = -1;
}

}  // namespace

ReserveDescriptor::ReserveDescriptor() noexcept {
  const seam::Lock lock(mutex);
  if (holders++ == 0) take_reserve();
}

ReserveDescriptor::~ReserveDescriptor() {
  const seam::Lock lock(mutex);
  if (--holders == 0) give_reserve_up();
}

void ReserveDescriptor::turn_away(int listener, std::size_t most) noexcept {
  const seam::Lock lock(mutex);
  bool is_short = true;
  for (std::size_t i = 0; i < most && is_short; ++i) {
    give_reserve_up();
    {
      const OwnedFd connection(kernel::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      take_reserve();  // while the connection has its place
      is_short = connection && reserve < 0;
    }
    if (reserve < 0) take_reserve();
  }
}

}  // namespace skua
