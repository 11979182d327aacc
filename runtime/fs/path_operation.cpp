#include <skua/fs/path_operation.hpp>

#include <cerrno>

namespace skua::fs {

bool PathOperation::is_valid() const noexcept { return is_whole(first_) && is_whole(second_); }

std::optional<reactor::Submission> PathOperation::submission() noexcept {
  if (!is_valid()) return std::nullopt;
  return call_.submission(*this);
}

int PathOperation::perform() noexcept { return is_valid() ? call_.perform(*this) : -EINVAL; }

Result<void> PathOperation::finish(int result) const {
  if (result >= 0) return {};
  return system_error(-result, call_.name, second_.empty() ? first_ : first_ + " -> " + second_);
}

}  // namespace skua::fs
