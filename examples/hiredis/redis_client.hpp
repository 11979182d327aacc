// RedisClient: hiredis' asynchronous API as futures: an adapter for a C library that does its own I/O on its descriptor
// and calls back.
#pragma once

#include <skua/skua.hpp>

#include <hiredis/async.h>

#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// docs:begin adapter
/// The library's context belongs to one thread at a time: the lock says to which. It is never held over a co_await.
class RedisConnection : public std::enable_shared_from_this<RedisConnection> {
 public:
  static skua::Result<std::shared_ptr<RedisConnection>> connect(const std::string& socket_path) {
    redisAsyncContext* context = ::redisAsyncConnectUnix(socket_path.c_str());
    if (context == nullptr) return skua::Error(std::errc::not_enough_memory, "connect", socket_path);
    auto connection = std::make_shared<RedisConnection>(context);
    if (context->err != 0) return skua::Error(std::errc::connection_refused, "connect", context->errstr);
    skua::Result<skua::AsyncFd> fd = skua::AsyncFd::borrow(context->c.fd);  // the library owns the descriptor
    if (!fd) return fd.error();
    connection->fd_.emplace(*std::move(fd));
    skua::spawn(serve_reads(connection)).detach();
    skua::spawn(serve_writes(connection)).detach();
    return connection;
  }

  explicit RedisConnection(redisAsyncContext* context) : context_(context) {
    context->ev.data = this;
    context->ev.addWrite = [](void* self) { static_cast<RedisConnection*>(self)->want_write(); };
    context->ev.cleanup = [](void* self) { static_cast<RedisConnection*>(self)->end(); };
  }
  ~RedisConnection() { close(); }

  /// Ends the connection: commands under way fail.
  void close() { with_context(::redisAsyncFree); }

  /// Calls `use` with the context; false if the connection has ended.
  template <class Use>
  bool with_context(Use use) {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) use(context_);  // which may end it
    return context_ != nullptr;
  }

 private:
  static skua::Task<> serve_reads(std::shared_ptr<RedisConnection> self) {
    for (;;) {
      skua::Result<skua::ReadyGuard> guard = co_await self->fd_->readable();
      if (!guard || !self->with_context(::redisAsyncHandleRead)) co_return;
      guard->recheck();  // the library does not say whether it has read everything
    }
  }
  static skua::Task<> serve_writes(std::shared_ptr<RedisConnection> self) {
    for (;;) {
      co_await WriteWanted(*self);
      skua::Result<skua::ReadyGuard> guard = co_await self->fd_->writable();
      if (!guard || !self->with_context(::redisAsyncHandleWrite)) co_return;
      guard->recheck();
    }
  }

  // Called by the library, under the lock.
  void end() {
    context_ = nullptr;
    want_write();
    if (fd_) ::shutdown(fd_->native_handle(), SHUT_RDWR);  // the library closes its descriptor, not our duplicate
  }
  void want_write() {
    wants_write_ = true;
    std::move(writer_).wake();
  }
  class WriteWanted {
   public:
    explicit WriteWanted(RedisConnection& connection) : connection_(connection) {}
    skua::Poll<void> poll(skua::Context& context) {
      const std::lock_guard lock(connection_.mutex_);
      if (std::exchange(connection_.wants_write_, false)) return skua::ready;
      connection_.writer_ = context.waker();
      return skua::pending;
    }

   private:
    RedisConnection& connection_;
  };

  std::mutex mutex_;
  redisAsyncContext* context_;
  bool wants_write_ = false;
  skua::Waker writer_;
  std::optional<skua::AsyncFd> fd_;
};
// docs:end

/// A command, words separated by blanks, and a future of the answer. It is sent by the first poll. Dropped: the answer
/// is thrown away when it comes.
class RedisCommand {
 public:
  RedisCommand(std::shared_ptr<RedisConnection> connection, const std::string& text)
      : connection_(std::move(connection)) {
    std::istringstream words(text);
    for (std::string word; words >> word;) words_.push_back(word);
  }

  skua::Poll<skua::Result<std::string>> poll(skua::Context& context) {
    if (!answer_) {
      answer_ = std::make_shared<Answer>();
      std::vector<const char*> words;
      std::vector<std::size_t> sizes;
      for (const std::string& word : words_) words.push_back(word.data()), sizes.push_back(word.size());
      int sent = REDIS_ERR;
      const auto send = [&](redisAsyncContext* redis) {
        auto answer = std::make_unique<std::shared_ptr<Answer>>(answer_);
        sent = ::redisAsyncCommandArgv(redis, &on_reply, answer.get(), static_cast<int>(words.size()), words.data(),
                                       sizes.data());
        if (sent == REDIS_OK) static_cast<void>(answer.release());  // on_reply() has it
      };
      connection_->with_context(send);
      if (sent != REDIS_OK) return {skua::Error(std::errc::not_connected, "redis")};
    }
    const std::lock_guard lock(answer_->mutex);
    if (answer_->result) return *std::move(answer_->result);
    answer_->waker = context.waker();
    return skua::pending;
  }

 private:
  struct Answer {
    std::mutex mutex;
    std::optional<skua::Result<std::string>> result;
    skua::Waker waker;
  };

  static skua::Result<std::string> result_of(const redisReply* reply) {
    if (reply == nullptr) return skua::Error(std::errc::connection_reset, "redis");
    if (reply->type == REDIS_REPLY_ERROR) return skua::Error(std::errc::invalid_argument, "redis", reply->str);
    if (reply->type == REDIS_REPLY_INTEGER) return std::to_string(reply->integer);
    return std::string(reply->str == nullptr ? "" : reply->str, reply->str == nullptr ? 0 : reply->len);
  }
  static void on_reply(redisAsyncContext*, void* reply, void* data) {
    const std::unique_ptr<std::shared_ptr<Answer>> answer(static_cast<std::shared_ptr<Answer>*>(data));
    skua::Waker waker;
    {
      const std::lock_guard lock((*answer)->mutex);
      (*answer)->result.emplace(result_of(static_cast<const redisReply*>(reply)));
      waker = std::move((*answer)->waker);
    }
    std::move(waker).wake();
  }

  std::shared_ptr<RedisConnection> connection_;
  std::vector<std::string> words_;
  std::shared_ptr<Answer> answer_;
};
