// UserCall: a function of the user's as the system call of an IoOperation.
#pragma once

#include <skua/core/result.hpp>
#include <skua/reactor/io_source.hpp>

#include <sys/types.h>

#include <cerrno>
#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace skua {

/// "Would block", in any of its spellings.
inline bool would_block(const Error& error) noexcept {
  return error == std::errc::operation_would_block || error == std::errc::resource_unavailable_try_again;
}

/// `F` takes the descriptor and returns a Result, or a number: a count, or -errno.
template <reactor::Direction which, class F>
class UserCall {
  using Returned = std::invoke_result_t<F&, int>;
  static_assert(is_result<Returned> || std::signed_integral<Returned>,
                "the function returns a Result, or what a system call returns: a count, or -errno");

  template <class R>
  struct ValueOf {
    using type = std::size_t;
  };
  template <class T>
  struct ValueOf<Result<T>> {
    using type = T;
  };

 public:
  using Value = typename ValueOf<Returned>::type;
  static constexpr reactor::Direction direction = which;
  static constexpr const char* name = which == reactor::Direction::read ? "read_with" : "write_with";

  explicit UserCall(F function) : function_(std::move(function)) {}
  static bool has_nothing_to_do() noexcept { return false; }
  static bool drained(ssize_t) noexcept { return false; }

  ssize_t attempt(int fd) {
    if constexpr (is_result<Returned>) {
      Returned result = function_(fd);
      if (!result && would_block(result.error())) return -EAGAIN;
      result_.emplace(std::move(result));
      return 0;
    } else {
      return static_cast<ssize_t>(function_(fd));
    }
  }

  Result<Value> finish([[maybe_unused]] ssize_t count) {
    if constexpr (is_result<Returned>) {
      return *std::move(result_);
    } else {
      return static_cast<std::size_t>(count);
    }
  }

 private:
  struct Nothing {};
  F function_;
  [[no_unique_address]] std::conditional_t<is_result<Returned>, std::optional<Returned>, Nothing> result_;
};

}  // namespace skua
