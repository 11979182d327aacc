// Unix sockets: addresses, files, credentials, packets, passing of descriptors.
#include "environment.hpp"
#include "transports.hpp"

#include <skua/net/control_messages.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace skua::tests {

using namespace std::chrono_literals;

namespace {

class unix_socket : public EachRuntime {};
INSTANTIATE_TEST_SUITE_P(on, unix_socket, each_setup, [](const auto& parameter) { return name_of(parameter.param); });

// --- Addresses ------------------------------------------------------------------------------------------------------

TEST(unix_address, kinds) {
  const UnixAddress unnamed;
  EXPECT_TRUE(unnamed.is_unnamed());
  EXPECT_EQ(unnamed.to_string(), "(unnamed)");
  EXPECT_FALSE(unnamed.path() || unnamed.abstract_name());
  const UnixAddress path = UnixAddress::path("/run/my.sock").value();
  EXPECT_EQ(path.path(), "/run/my.sock");
  EXPECT_EQ(path.to_string(), "/run/my.sock");
  EXPECT_FALSE(path.is_unnamed() || path.abstract_name());
  const UnixAddress abstract = UnixAddress::abstract(std::string_view("a\0b\n\\", 5)).value();
  EXPECT_EQ(abstract.abstract_name(), std::string_view("a\0b\n\\", 5));
  EXPECT_EQ(abstract.to_string(), "@a\\x00b\\x0a\\x5c");
  EXPECT_FALSE(abstract.is_unnamed() || abstract.path());
  EXPECT_FALSE(path == abstract || path == unnamed || abstract == unnamed);
  EXPECT_FALSE(UnixAddress::abstract("x").value() == UnixAddress::path("x").value());
  EXPECT_EQ(UnixAddress::path("x").value(), UnixAddress::path("x").value());
}

TEST(unix_address, limits) {
  EXPECT_TRUE(UnixAddress::path(std::string(107, 'x')));
  const auto long_path = UnixAddress::path(std::string(108, 'x'));
  EXPECT_EQ(long_path.error(), std::errc::filename_too_long);
  EXPECT_NE(long_path.error().message().find("(108 bytes, at most 107)"), std::string::npos);
  EXPECT_TRUE(UnixAddress::abstract(std::string(107, 'x')));
  EXPECT_EQ(UnixAddress::abstract(std::string(108, 'x')).error(), std::errc::filename_too_long);
  EXPECT_EQ(UnixAddress::path("").error(), std::errc::invalid_argument);
  EXPECT_EQ(UnixAddress::path(std::string_view("a\0b", 3)).error(), std::errc::invalid_argument);
}

TEST(unix_address, from_the_kernel) {
  NativeAddress native;
  auto& address = reinterpret_cast<sockaddr_un&>(native.storage);
  native.size = 0;  // an unnamed sender
  EXPECT_TRUE(UnixAddress::from_native(native).is_unnamed());
  EXPECT_EQ(UnixAddress::from_native(native).native()->sa_family, AF_UNIX);
  address.sun_family = AF_UNIX;
  native.size = offsetof(sockaddr_un, sun_path);
  EXPECT_EQ(UnixAddress::from_native(native), UnixAddress());
  std::memset(address.sun_path, 'p', sizeof address.sun_path);  // full, without a zero
  native.size = sizeof(sockaddr_un) + 1;
  EXPECT_EQ(UnixAddress::from_native(native).path(), std::string(108, 'p'));
  std::strcpy(address.sun_path, "/tmp/x");
  native.size = offsetof(sockaddr_un, sun_path) + 7;
  EXPECT_EQ(UnixAddress::from_native(native), UnixAddress::path("/tmp/x").value());
}

// --- Files ----------------------------------------------------------------------------------------------------------

bool exists(const char* path) {
  struct stat status{};
  return ::lstat(path, &status) == 0;
}

TEST_P(unix_socket, the_file_is_removed_if_it_is_to_be) {
  const ScopedDirectory directory;
  const UnixAddress address = UnixAddress::path("a.sock").value();
  UnixListenOptions options;
  options.unlink_on_drop = true;
  {
    UnixListener listener = UnixListener::bind(address, options).value();
    EXPECT_TRUE(exists("a.sock"));
    const UnixListener moved = std::move(listener);
    EXPECT_TRUE(exists("a.sock"));
    EXPECT_EQ(moved.local_address().value(), address);
    EXPECT_EQ(UnixListener::bind(address, options).error().message(), "bind a.sock: Address already in use");
    EXPECT_TRUE(exists("a.sock")) << "who failed to bind removes nothing";
  }
  EXPECT_FALSE(exists("a.sock"));
  {
    const UnixDatagram socket = UnixDatagram::bind(address, options).value();
    // Another program takes the place.
    ::unlink("a.sock");
    const UnixDatagram other = UnixDatagram::bind(address).value();
  }
  EXPECT_TRUE(exists("a.sock"));
  EXPECT_EQ(UnixListener::bind(address).error(), std::errc::address_in_use);
}

TEST_P(unix_socket, errors_of_connecting_name_the_address) {
  auto body = []() -> Task<> {
    const UnixAddress address = UnixAddress::path("none.sock").value();
    EXPECT_EQ((co_await UnixStream::connect(address)).error().message(),
              "connect none.sock: No such file or directory");
    {
      const UnixListener listener = UnixListener::bind(address).value();
    }
    EXPECT_EQ((co_await UnixStream::connect(address)).error().message(), "connect none.sock: Connection refused");
    const UnixAddress other = UnixAddress::path("packets.sock").value();
    const UnixSeqpacketListener packets = UnixSeqpacketListener::bind(other).value();
    EXPECT_EQ((co_await UnixStream::connect(other)).error(), std::errc::wrong_protocol_type);
  };
  const ScopedDirectory directory;
  run(body());
}

// --- Connections ----------------------------------------------------------------------------------------------------

Task<bool> connects(UnixAddress address) { co_return (co_await UnixStream::connect(address)).has_value(); }

// The kernel answers EAGAIN, and never tells when there is room.
TEST_P(unix_socket, connecting_waits_while_the_queue_is_full) {
  auto body = []() -> Task<> {
    UnixListenOptions options;
    options.backlog = 1;
    UnixListener listener = UnixListener::bind(fresh_unix_address(), options).value();
    std::vector<JoinHandle<bool>> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(spawn(connects(listener.local_address().value())));
    co_await sleep(5ms);
    std::vector<UnixStream> streams;
    for (int i = 0; i < 8; ++i) {
      auto accepted = co_await timeout(10s, listener.accept());
      streams.push_back(std::move(accepted).value());
    }
    for (auto& client : clients) EXPECT_TRUE((co_await client).value());
  };
  run(body());
}

TEST_P(unix_socket, credentials_tell_who_is_there) {
  auto body = []() -> Task<> {
    auto pair = co_await connect_pair<Unix>();
    for (const UnixStream* stream : {&pair.client, &pair.server}) {
      const UnixCredentials credentials = stream->peer_credentials().value();
      EXPECT_EQ(credentials.pid, ::getpid());
      EXPECT_EQ(credentials.uid, ::getuid());
      EXPECT_EQ(credentials.gid, ::getgid());
    }
    EXPECT_TRUE(pair.server.peer_address().value().is_unnamed());
    EXPECT_EQ(pair.client.peer_address().value(), pair.server.local_address().value());
    EXPECT_EQ(UnixDatagram::unbound().value().peer_credentials().error(), std::errc::not_connected);
    EXPECT_EQ(UnixDatagram::unbound().value().peer_address().error(), std::errc::not_connected);
  };
  run(body());
}

TEST_P(unix_socket, pair_of_streams) {
  auto body = []() -> Task<> {
    auto pair = UnixStream::pair().value();
    spawn(echo(std::move(pair.second))).detach();
    (co_await pair.first.write_all("ping")).value();
    std::array<char, 4> buffer{};
    EXPECT_EQ((co_await read_exactly(pair.first, buffer.data(), 4)).value(), 4u);
  };
  run(body());
}

// --- Packets --------------------------------------------------------------------------------------------------------

Task<Result<void>> echo_packets(UnixSeqpacket connection) {
  std::array<char, 64> buffer;
  for (;;) {
    const Received received = co_await try_(connection.recv(buffer));
    if (received.full_size == 0) co_return {};
    co_await try_(connection.send({buffer.data(), received.size}));
  }
}

TEST_P(unix_socket, packets_keep_their_borders_and_the_connection_ends) {
  auto body = []() -> Task<> {
    UnixSeqpacketListener listener = UnixSeqpacketListener::bind(fresh_unix_address()).value();
    UnixSeqpacket client = (co_await UnixSeqpacket::connect(listener.local_address().value())).value();
    auto server = spawn(echo_packets((co_await listener.accept()).value()));
    for (std::size_t size = 1; size <= 64; size += 9) (co_await client.send(std::string(size, 'x'))).value();
    std::array<char, 64> buffer;
    for (std::size_t size = 1; size <= 64; size += 9) {
      EXPECT_EQ((co_await client.peek(buffer)).value().size, size);
      EXPECT_EQ((co_await client.recv(buffer)).value().size, size);
    }
    EXPECT_EQ((co_await client.send("")).error(), std::errc::invalid_argument);
    EXPECT_EQ(client.try_recv(buffer).error(), std::errc::operation_would_block);
    EXPECT_EQ(client.peer_credentials().value().pid, ::getpid());
    client.shutdown(Shutdown::write).value();
    EXPECT_EQ((co_await client.recv(buffer)).value().full_size, 0u);
    EXPECT_TRUE((co_await server).value());
    EXPECT_EQ((co_await client.send("x")).error(), std::errc::broken_pipe);
  };
  run(body());
}

TEST_P(unix_socket, a_packet_that_does_not_fit_is_reported) {
  auto body = []() -> Task<> {
    auto pair = UnixSeqpacket::pair().value();
    (co_await pair.first.send("0123456789")).value();
    (co_await pair.first.send("next")).value();
    std::array<char, 4> buffer;
    const Received received = (co_await pair.second.recv(buffer)).value();
    EXPECT_TRUE(received.is_truncated());
    EXPECT_EQ(received.full_size, 10u);
    EXPECT_FALSE((co_await pair.second.recv(buffer)).value().is_truncated());
    auto waits = co_await select(pair.second.recv(buffer), sleep(1ms));
    EXPECT_EQ(waits.index(), 1u);
    const std::vector<char> block(1000);
    int sent = 0;
    while (pair.first.try_send(block)) ++sent;
    EXPECT_GT(sent, 0);
    auto full = co_await select(pair.first.send(block), sleep(1ms));
    EXPECT_EQ(full.index(), 1u);
    {
      const auto dropped = std::move(pair.second);
    }
    // What it had not received is lost, and that is told first.
    EXPECT_EQ((co_await timeout(10s, pair.first.send(block))).error(), std::errc::connection_reset);
    EXPECT_EQ((co_await timeout(10s, pair.first.send(block))).error(), std::errc::broken_pipe);
  };
  run(body());
}

// --- Descriptors ----------------------------------------------------------------------------------------------------

/// Descriptors of one open file, whose offset they share.
OwnedFd open_file() {
  const OwnedFd file(::memfd_create("passed", MFD_CLOEXEC));
  return OwnedFd(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3));
}
ino_t inode_of(int fd) {
  struct stat status{};
  EXPECT_EQ(::fstat(fd, &status), 0);
  return status.st_ino;
}

TEST_P(unix_socket, descriptors_arrive_open_and_close_on_exec) {
  auto body = []() -> Task<> {
    auto pair = co_await connect_pair<Unix>();
    std::vector<OwnedFd> files;
    std::vector<int> numbers;
    for (int i = 0; i < 5; ++i) numbers.push_back(files.emplace_back(open_file()).get());
    std::array<char, 16> buffer;
    auto waits = co_await select(pair.server.receive_with_descriptors(buffer, 5), sleep(1ms));
    EXPECT_EQ(waits.index(), 1u);
    EXPECT_EQ((co_await pair.client.send_with_descriptors("five", numbers)).value(), 4u);
    const ReceivedDescriptors received = (co_await pair.server.receive_with_descriptors(buffer, 5)).value();
    EXPECT_EQ(received.size, 4u);
    EXPECT_FALSE(received.descriptors_lost);
    EXPECT_EQ(received.descriptors.size(), 5u);
    for (std::size_t i = 0; i < received.descriptors.size(); ++i) {
      EXPECT_EQ(inode_of(received.descriptors[i].get()), inode_of(numbers[i])) << "in their order";
      EXPECT_NE(::fcntl(received.descriptors[i].get(), F_GETFD) & FD_CLOEXEC, 0);
    }
    EXPECT_EQ((co_await pair.client.send_with_descriptors("none", {})).value(), 4u);
    EXPECT_TRUE((co_await pair.server.receive_with_descriptors(buffer, 5)).value().descriptors.empty());
    pair.client.shutdown(Shutdown::write).value();
    EXPECT_EQ((co_await pair.server.receive_with_descriptors(buffer, 5)).value().size, 0u) << "the end";
  };
  const std::size_t before = open_descriptors();
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
}

TEST_P(unix_socket, descriptors_that_do_not_fit_are_closed_and_reported) {
  auto body = []() -> Task<> {
    auto pair = UnixStream::pair().value();
    const OwnedFd file = open_file();
    std::array<char, 16> buffer;
    const std::vector<int> numbers(most_passed_descriptors, file.get());
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{252}}) {
      const std::size_t before = open_descriptors();
      EXPECT_EQ((co_await pair.first.send_with_descriptors("x", numbers)).value(), 1u);
      const ReceivedDescriptors received = (co_await pair.second.receive_with_descriptors(buffer, most)).value();
      EXPECT_EQ(received.descriptors.size(), most);
      EXPECT_TRUE(received.descriptors_lost) << most;
      EXPECT_EQ(open_descriptors(), before + most);
    }
    EXPECT_EQ((co_await pair.first.send_with_descriptors("x", numbers)).value(), 1u);
    const ReceivedDescriptors all = (co_await pair.second.receive_with_descriptors(buffer, 1000)).value();
    EXPECT_EQ(all.descriptors.size(), most_passed_descriptors);
    EXPECT_FALSE(all.descriptors_lost);

    const std::vector<int> too_many(most_passed_descriptors + 1, file.get());
    EXPECT_EQ((co_await pair.first.send_with_descriptors("x", too_many)).error(), std::errc::invalid_argument);
    EXPECT_EQ((co_await pair.first.send_with_descriptors("", numbers)).error(), std::errc::invalid_argument);
    const std::array<int, 1> bad{-1};
    EXPECT_EQ((co_await pair.first.send_with_descriptors("x", bad)).error(), std::errc::bad_file_descriptor);
  };
  const std::size_t before = open_descriptors();
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
}

// A read stops behind a byte that descriptors came with, though bytes follow: a short read that has not emptied the
// socket.
TEST_P(unix_socket, bytes_behind_passed_descriptors_are_read) {
  auto body = []() -> Task<> {
    auto pair = UnixStream::pair().value();
    const OwnedFd file = open_file();
    const std::array<int, 1> numbers{file.get()};
    std::array<char, 64> buffer;
    for (int round = 0; round < 10; ++round) {
      auto waits = co_await select(pair.second.read(buffer), sleep(1ms));
      EXPECT_EQ(waits.index(), 1u);
      (co_await pair.first.send_with_descriptors("with", numbers)).value();
      (co_await pair.first.write_all(" more")).value();
      std::string received;
      while (received.size() < 9) {
        const auto count = co_await timeout(10s, pair.second.read(buffer));
        if (!count) break;
        received.append(buffer.data(), *count);
      }
      EXPECT_EQ(received, "with more");
    }
  };
  const std::size_t before = open_descriptors();
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; })) << "a plain read closes what it is given";
}

TEST_P(unix_socket, packets_carry_descriptors_too) {
  auto body = []() -> Task<> {
    auto pair = UnixSeqpacket::pair().value();
    const OwnedFd file = open_file();
    const std::array<int, 1> numbers{file.get()};
    (co_await pair.first.send_with_descriptors("0123456789", numbers)).value();
    std::array<char, 4> buffer;
    const ReceivedDescriptors received = (co_await pair.second.receive_with_descriptors(buffer, 1)).value();
    EXPECT_EQ(received.size, 4u);
    EXPECT_TRUE(received.is_truncated);
    EXPECT_EQ(received.descriptors.size(), 1u);
    EXPECT_EQ(inode_of(received.descriptors.front().get()), inode_of(file.get()));
  };
  run(body());
}

Task<int> receives_files(UnixStream& stream, int until) {
  int received = 0;
  for (int round = 0; received < until; ++round) {
    std::array<char, 1> buffer;
    auto first =
        co_await select(stream.receive_with_descriptors(buffer, 2), yield_now(), sleep(Duration((round % 5) * 10us)));
    if (first.index() != 0) continue;
    received += static_cast<int>(std::get<0>(std::move(first)).value().descriptors.size());
  }
  co_return received;
}
Task<> sends_files(UnixStream& stream, int count) {
  const OwnedFd file = open_file();
  const std::array<int, 2> numbers{file.get(), file.get()};
  for (int i = 0; i < count; i += 2) (co_await stream.send_with_descriptors("x", numbers)).value();
}
TEST_P(unix_socket, receives_cancelled_at_random_lose_no_descriptor) {
  auto body = []() -> Task<> {
    auto pair = UnixStream::pair().value();
    constexpr int count = scaled(1000, 200);
    auto [received, sent] = co_await join(receives_files(pair.second, count), sends_files(pair.first, count));
    EXPECT_EQ(received, count);
  };
  const std::size_t before = open_descriptors();
  run(body());
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }));
}

// --- Control messages -----------------------------------------------------------------------------------------------

std::vector<std::byte> message(std::size_t length, int level, int type, std::size_t data_size) {
  std::vector<std::byte> bytes(CMSG_SPACE(data_size));
  const cmsghdr header{.cmsg_len = length, .cmsg_level = level, .cmsg_type = type};
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

TEST(control_messages, are_walked) {
  std::vector<std::byte> bytes = message(CMSG_LEN(3), SOL_SOCKET, SCM_CREDENTIALS, 3);
  const auto second = message(CMSG_LEN(8), SOL_SOCKET, SCM_RIGHTS, 8);
  bytes.insert(bytes.end(), second.begin(), second.end());
  ControlMessages messages(bytes);
  const auto first = messages.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, SCM_CREDENTIALS);
  EXPECT_EQ(first->data.size(), 3u);
  const auto next = messages.next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->type, SCM_RIGHTS);
  EXPECT_EQ(next->data.size(), 8u);
  EXPECT_FALSE(messages.next());
}

TEST(control_messages, wrong_lengths_end_the_walk) {
  for (const std::size_t length : {std::size_t{0}, CMSG_LEN(0) - 1, CMSG_SPACE(4) + 1, ~std::size_t{0}}) {
    const auto bytes = message(length, SOL_SOCKET, SCM_RIGHTS, 4);
    ControlMessages messages(bytes);
    EXPECT_FALSE(messages.next()) << length;
  }
  const auto bytes = message(CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS, 4);
  const std::span<const std::byte> whole = bytes;
  for (std::size_t size = 0; size < CMSG_LEN(4); ++size) {
    ControlMessages messages(whole.first(size));
    EXPECT_FALSE(messages.next()) << size;
  }
  ControlMessages unpadded(whole.first(CMSG_LEN(4)));
  EXPECT_TRUE(unpadded.next()) << "the last one needs no padding";
  EXPECT_FALSE(unpadded.next());
}

TEST(control_messages, descriptors_beyond_the_limit_are_closed) {
  const std::size_t before = open_descriptors();
  {
    auto bytes = message(CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS, 3 * sizeof(int));
    std::array<int, 3> numbers{};
    for (int& number : numbers) number = open_file().release();
    std::memcpy(bytes.data() + CMSG_LEN(0), numbers.data(), sizeof numbers);
    std::vector<OwnedFd> taken;
    taken.reserve(2);
    EXPECT_TRUE(take_descriptors(bytes, 2, taken));
    EXPECT_EQ(taken.size(), 2u);
    EXPECT_EQ(open_descriptors(), before + 2);
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace skua::tests
