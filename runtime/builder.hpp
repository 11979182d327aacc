// Builder: how a runtime is set up in code.
//
//   Result<Runtime> runtime = Builder().workers(4).build();
//
// What the environment says (SKUA_WORKERS and its like, see options.hpp) is stronger than code; files and command
// lines come in through options(), see <skua/config/load.hpp>.
#pragma once

#include <skua/core/result.hpp>
#include <skua/options.hpp>
#include <skua/time/virtual_clock.hpp>

#include <cstdint>
#include <optional>

namespace skua {

class Runtime;

class Builder {
 public:
  Builder() = default;

  /// 1 to 1024; workers_auto (the default) takes available_parallelism().
  Builder& workers(std::uint32_t count);
  Builder& backend(Backend backend);
  Builder& reactor_mode(ReactorMode mode);
  /// Of each ring: 2 to 32768 and 4 to 65536.
  Builder& io_uring_entries(std::uint32_t submission, std::uint32_t completion);
  /// The most threads for calls that block: 1 to 1024.
  Builder& blocking_threads(std::uint32_t count);
  /// Its tasks go by virtual time: for tests. What blocks is done by the blocking pool then, also on io_uring.
  Builder& clock(const VirtualClock& clock);
  /// Takes over what was loaded elsewhere, origins and all.
  Builder& options(Options options);

  /// Starts the runtime. Errors: a setting out of range (which one, where it came from, what is allowed); a back end
  /// that was asked for and is refused; no descriptors or threads left.
  Result<Runtime> build() const;

 private:
  Options options_;
  std::optional<VirtualClock> clock_;
};

}  // namespace skua
