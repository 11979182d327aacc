#include <skua/core/kernel.hpp>
#include <skua/fs/file.hpp>
#include <skua/fs/read_directory.hpp>

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <new>
#include <string_view>
#include <utility>

namespace skua::fs {

int EntriesOperation::perform() noexcept try {
  const std::unique_ptr<char[]> buffer(new char[buffer_size]);
  const ssize_t size = kernel::getdents(directory_->fd.get(), buffer.get(), buffer_size);
  if (size < 0) return static_cast<int>(size);
  for (ssize_t at = 0; at < size;) {
    const auto* const entry = reinterpret_cast<const dirent64*>(buffer.get() + at);
    at += entry->d_reclen;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries_.push_back(
        {std::string(name), type_of_mode(static_cast<std::uint32_t>(DTTOIF(entry->d_type))), entry->d_ino});
  }
  return size == 0 ? 0 : 1;
} catch (const std::bad_alloc&) {
  return -ENOMEM;
}

Result<EntriesOperation::Read> EntriesOperation::finish(int result) {
  const Ref<FileState> directory = std::exchange(directory_, nullptr);
  if (result < 0) return system_error(-result, "read_directory", directory->path);
  return Read(std::move(entries_), result == 0);
}

Task<Result<ReadDirectory>> ReadDirectory::open(std::filesystem::path path) {
  File file = co_await try_(File::open(path, OpenOptions().read(true).flags(O_DIRECTORY)));
  co_return ReadDirectory(file.state());
}

NextEntry ReadDirectory::next() noexcept { return NextEntry(*this); }

Poll<Result<std::optional<DirectoryEntry>>> NextEntry::poll(Context& context) {
  using Answer = Result<std::optional<DirectoryEntry>>;
  ReadDirectory& of = directory_;
  for (;;) {
    if (of.next_ < of.entries_.size()) return Answer(std::move(of.entries_[of.next_++]));
    if (of.at_end_) return Answer(std::nullopt);
    if (!of.reading_) {
      of.reading_ = std::make_unique<OperationFuture<EntriesOperation>>(make_ref<EntriesOperation>(of.directory_));
    }
    Poll<Result<EntriesOperation::Read>> result = of.reading_->poll(context);
    if (result.is_pending()) return pending;
    of.reading_ = nullptr;
    Result<EntriesOperation::Read> read = std::move(result).take();
    if (!read) return Answer(std::move(read).error());
    of.entries_ = std::move(read->entries);
    of.at_end_ = read->at_end;
    of.next_ = 0;
  }
}

}  // namespace skua::fs
