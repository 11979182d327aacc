// copy(): everything from a reader to a writer.
//
//   std::uint64_t bytes = co_await try_(copy(upload, file));
#pragma once

#include <skua/core/task.hpp>
#include <skua/io/concepts.hpp>
#include <skua/io/stream_error.hpp>
#include <skua/io/write_all.hpp>
#include <skua/task/consume_budget.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace skua {

inline constexpr std::size_t default_copy_buffer_size = 16 * 1024;

/// Where a copy tells how far it is. Read it where the copy runs, or after it has ended.
class CopyOptions {
 public:
  CopyOptions() noexcept = default;
  /// Bytes that are read at a time; the memory that the copy takes.
  CopyOptions& buffer_size(std::size_t bytes) noexcept {
    buffer_size_ = std::max<std::size_t>(bytes, 1);
    return *this;
  }
  /// A counter that is kept up to date with the bytes written: what is known when the copy fails or is dropped.
  CopyOptions& progress(std::uint64_t& written) noexcept {
    progress_ = &written;
    return *this;
  }
  std::size_t buffer_size() const noexcept { return buffer_size_; }
  std::uint64_t* progress() const noexcept { return progress_; }

 private:
  std::size_t buffer_size_ = default_copy_buffer_size;
  std::uint64_t* progress_ = nullptr;
};

/// Reads until the end and writes all of it, flushes the writer, and is ready with how many bytes those were; it does
/// not end what the writer writes. Errors: the reader's and the writer's, with how many bytes were written before.
/// Gives way to other tasks, however fast both are. Not cancel safe: up to a buffer of bytes is lost, read and not
/// written; CopyOptions::progress() says what was written. Both references must outlive the task.
template <AsyncRead R, AsyncWrite W>
Task<Result<std::uint64_t>> copy(R& reader, W& writer, CopyOptions options = CopyOptions()) {
  const std::size_t size = options.buffer_size();
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(size);
  std::uint64_t own_count = 0;
  std::uint64_t& written = options.progress() != nullptr ? *options.progress() : own_count;
  written = 0;
  const auto failed = [&](const Error& part) {
    return error_of_part(part, "copy", "after " + std::to_string(written) + " bytes");
  };
  for (;;) {
    co_await consume_budget();  // whatever reader and writer do
    const Result<std::size_t> count = co_await reader.read(MutableBuffer(memory.get(), size));
    if (!count) co_return failed(count.error());
    if (*count == 0) break;
    WriteAll<W> write(writer, ConstBuffer(memory.get(), *count));
    const Result<void> done = co_await write;
    written += write.done();
    if (!done) co_return failed(done.error());
  }
  const Result<void> flushed = co_await skua::flush(writer);
  if (!flushed) co_return failed(flushed.error());
  co_return written;
}

}  // namespace skua
