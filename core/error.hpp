// Error: why an operation failed: the code, the operation, and what it was applied to.
#pragma once

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

namespace skua {

/// Compares equal to its code: `error == std::errc::connection_refused`.
class Error {
 public:
  /// `operation` must be a string literal, e.g. "connect"; `subject` is e.g. "10.0.0.1:80".
  explicit Error(std::error_code code, const char* operation = "", std::string subject = {})
      : code_(code), operation_(operation) {
    if (!subject.empty()) subject_ = std::make_shared<const std::string>(std::move(subject));
  }
  explicit Error(std::errc code, const char* operation = "", std::string subject = {})
      : Error(std::make_error_code(code), operation, std::move(subject)) {}

  const std::error_code& code() const noexcept { return code_; }
  const char* operation() const noexcept { return operation_; }

  /// "connect 10.0.0.1:80: Connection refused"
  std::string message() const {
    std::string text = operation_;
    if (subject_) text += (text.empty() ? "" : " ") + *subject_;
    return text.empty() ? code_.message() : text + ": " + code_.message();
  }

  /// Throws std::system_error with the code and "connect 10.0.0.1:80".
  [[noreturn]] void raise() const {
    std::string text = operation_;
    if (subject_) text += " " + *subject_;
    throw std::system_error(code_, text);
  }

  friend bool operator==(const Error& left, const Error& right) noexcept { return left.code_ == right.code_; }
  friend bool operator==(const Error& error, std::errc code) noexcept { return error.code_ == code; }

 private:
  std::error_code code_;
  const char* operation_;
  std::shared_ptr<const std::string> subject_;  // errors are rare and copied rarely; results stay small
};

/// The error that a system call reported as the errno `number`.
inline Error system_error(int number, const char* operation, std::string subject = {}) {
  return Error(std::error_code(number, std::system_category()), operation, std::move(subject));
}

/// The error of a failed system call: errno, as `operation` set it.
inline Error last_system_error(const char* operation, std::string subject = {}) {
  return system_error(errno, operation, std::move(subject));
}

}  // namespace skua
