#include <skua/sync/sync_error.hpp>

#include <string>

namespace skua {

namespace {

class SyncCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "skua.sync"; }
  std::string message(int value) const override {
    switch (static_cast<SyncError>(value)) {
      case SyncError::closed: return "it is closed";
      case SyncError::would_block: return "it would have to wait";
      case SyncError::lagged: return "values were missed: the receiver was too slow";
    }
    return "unknown error";
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    if (static_cast<SyncError>(value) == SyncError::would_block) {
      return std::make_error_condition(std::errc::operation_would_block);
    }
    return {value, *this};
  }
};

}  // namespace

std::error_code make_error_code(SyncError error) noexcept {
  static const SyncCategory category;
  return {static_cast<int>(error), category};
}

}  // namespace skua
