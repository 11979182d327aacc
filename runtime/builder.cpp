#include <skua/builder.hpp>
#include <skua/runtime.hpp>
#include <skua/runtime_core.hpp>

#include <string>

namespace skua {

namespace {
const Origin from_code{Source::code, {}};
}  // namespace

Builder& Builder::workers(std::uint32_t count) {
  options_.workers.set(count, from_code);
  return *this;
}

Builder& Builder::backend(Backend backend) {
  options_.backend.set(backend, from_code);
  return *this;
}

Builder& Builder::reactor_mode(ReactorMode mode) {
  options_.reactor_mode.set(mode, from_code);
  return *this;
}

Builder& Builder::options(Options options) {
  options_ = std::move(options);
  return *this;
}

Result<Runtime> Builder::build() const {
  Options options = options_;
  if (auto result = options.set_from_environment(); !result) return std::move(result).error();
  if (options.workers.value > workers_max) {
    return Error(std::errc::invalid_argument, "option",
                 "workers = " + std::to_string(options.workers.value) + " (from " + options.workers.origin.describe() +
                     "): expected auto or a number from 1 to " + std::to_string(workers_max));
  }
  auto core = RuntimeCore::start(options);
  if (!core) return std::move(core).error();
  return Runtime(*std::move(core));
}

}  // namespace skua
