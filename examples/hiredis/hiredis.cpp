// Counts in Redis from many tasks over one connection of the C library hiredis.
//   hiredis SOCKET      the Unix socket of a server: redis-server --port 0 --unixsocket SOCKET
#include "redis_client.hpp"

#include <chrono>
#include <cstdio>
#include <vector>

using namespace skua;

// docs:begin count
Task<Result<void>> count(std::shared_ptr<RedisConnection> redis, int times) {
  for (int i = 0; i < times; ++i) co_await try_(RedisCommand(redis, "INCR visits"));
  co_return {};
}
// docs:end

Task<Result<std::string>> count_in_tasks(std::string socket_path) {
  auto redis = co_await try_(RedisConnection::connect(socket_path));
  co_await try_(RedisCommand(redis, "SET visits 0"));
  const Result<std::string> mistake = co_await RedisCommand(redis, "NO SUCH COMMAND");
  if (mistake) co_return Error(std::errc::protocol_error, "a mistake is an error");
  std::vector<JoinHandle<Result<void>>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(spawn(count(redis, 100)));
  for (auto& task : tasks) co_await try_((co_await task).value());
  // More than the library reads at once.
  const std::string set = "SETRANGE large 1000000 end";
  co_await try_(RedisCommand(redis, set));
  const std::string large = co_await try_(RedisCommand(redis, "GET large"));
  if (large.size() != 1'000'003) co_return Error(std::errc::protocol_error, "get a large value");
  std::string visits = co_await try_(RedisCommand(redis, "GET visits"));
  redis->close();
  const Result<std::string> late = co_await RedisCommand(redis, "GET visits");
  if (late) co_return Error(std::errc::protocol_error, "a closed connection answers nothing");
  for (int i = 0; i < 1000 && redis.use_count() > 1; ++i) co_await sleep(std::chrono::milliseconds(5));
  if (redis.use_count() > 1) co_return Error(std::errc::protocol_error, "the connection's tasks end with it");
  co_return visits;
}

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: hiredis SOCKET\n"), 2;
  Runtime runtime;
  const Result<std::string> visits = runtime.block_on(runtime.spawn(count_in_tasks(argv[1]))).value();
  if (!visits) return std::fprintf(stderr, "%s\n", visits.error().message().c_str()), 1;
  std::printf("%s visits\n", visits->c_str());
  return *visits == "2000" ? 0 : 1;
}
