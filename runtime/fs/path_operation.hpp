// PathOperation: a call on one or two paths that brings no value: rename, unlink, mkdir, link, symlink.
#pragma once

#include <skua/core/result.hpp>
#include <skua/reactor/operation.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace skua::fs {

class PathOperation final : public reactor::Operation {
 public:
  /// What is called.
  struct Call {
    const char* name;
    reactor::Submission (*submission)(const PathOperation&) noexcept;
    int (*perform)(const PathOperation&) noexcept;
  };

  /// `call` lives for ever.
  PathOperation(const Call& call, const std::filesystem::path& first, const std::filesystem::path& second,
                std::uint32_t argument)
      : call_(call), first_(first.native()), second_(second.native()), argument_(argument) {}

  std::optional<reactor::Submission> submission() noexcept override;
  int perform() noexcept override;
  Result<void> finish(int result) const;

  const char* first() const noexcept { return first_.c_str(); }
  const char* second() const noexcept { return second_.c_str(); }
  std::uint32_t argument() const noexcept { return argument_; }

 private:
  bool is_valid() const noexcept;

  const Call& call_;
  const std::string first_;
  const std::string second_;
  const std::uint32_t argument_;  // flags or mode
};

/// Whether the kernel would see the whole path: it reads up to the first zero.
inline bool is_whole(const std::string& path) noexcept { return path.find('\0') == std::string::npos; }

/// The kernel takes addresses as numbers.
inline std::uint64_t address_of(const void* pointer) noexcept { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace skua::fs
