// SocketAddress: text, comparison, kinds.
#include <skua/net/socket_address.hpp>

#include <gtest/gtest.h>

namespace skua::tests {
namespace {

SocketAddress parse(const char* text) { return SocketAddress::parse(text).value(); }

TEST(socket_address, text_goes_in_and_comes_out) {
  for (const char* text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8080", "[::]:0",
                           "[fe80::1%2]:80", "[2001:db8::7]:443"}) {
    EXPECT_EQ(parse(text).to_string(), text);
  }
}

TEST(socket_address, what_is_none_is_refused) {
  for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x",
                           "localhost:80", "::1:80", "[::1]", "[::1:80", "[127.0.0.1]:80", "[]:80", "[fe80::1%]:80",
                           "[fe80::1%eth0]:80", "1.2.3:80", "127.0.0.1%1:80"}) {
    const auto address = SocketAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error(), std::errc::invalid_argument);
    EXPECT_NE(address.error().message().find(text), std::string::npos);
  }
}

TEST(socket_address, from_ip) {
  EXPECT_EQ(SocketAddress::from_ip("10.1.2.3", 7).value(), parse("10.1.2.3:7"));
  EXPECT_EQ(SocketAddress::from_ip("::1", 7).value(), parse("[::1]:7"));
  EXPECT_EQ(SocketAddress::from_ip("fe80::1%3", 7).value(), parse("[fe80::1%3]:7"));
  EXPECT_FALSE(SocketAddress::from_ip("[::1]", 7));
  EXPECT_FALSE(SocketAddress::from_ip("example.org", 7));
  EXPECT_EQ(parse("[fe80::1%3]:7").ip(), "fe80::1%3");
}

TEST(socket_address, comparison) {
  EXPECT_EQ(parse("[::1]:80"), parse("[0:0:0:0:0:0:0:1]:80"));
  EXPECT_FALSE(parse("127.0.0.1:80") == parse("127.0.0.1:81"));
  EXPECT_FALSE(parse("127.0.0.1:80") == parse("127.0.0.2:80"));
  EXPECT_FALSE(parse("[::1]:80") == parse("[::2]:80"));
  EXPECT_FALSE(parse("[fe80::1%1]:80") == parse("[fe80::1%2]:80"));
  EXPECT_FALSE(parse("0.0.0.0:80") == parse("[::]:80"));
  EXPECT_EQ(parse("127.0.0.1:80").with_port(81), parse("127.0.0.1:81"));
  EXPECT_EQ(parse("[fe80::1%1]:80").with_port(81), parse("[fe80::1%1]:81"));
}

TEST(socket_address, kinds) {
  EXPECT_EQ(SocketAddress::loopback(5), parse("127.0.0.1:5"));
  EXPECT_EQ(SocketAddress::loopback_v6(5), parse("[::1]:5"));
  EXPECT_EQ(SocketAddress::any(5), parse("0.0.0.0:5"));
  EXPECT_EQ(SocketAddress::any_v6(5), parse("[::]:5"));
  EXPECT_TRUE(parse("127.9.9.9:1").is_loopback());
  EXPECT_TRUE(parse("[::1]:1").is_loopback());
  EXPECT_FALSE(parse("128.0.0.1:1").is_loopback() || parse("[::2]:1").is_loopback());
  EXPECT_TRUE(parse("224.0.0.1:1").is_multicast() && parse("239.255.255.255:1").is_multicast());
  EXPECT_TRUE(parse("[ff02::1]:1").is_multicast());
  EXPECT_FALSE(parse("223.255.255.255:1").is_multicast() || parse("240.0.0.1:1").is_multicast());
  EXPECT_FALSE(parse("[fe80::1]:1").is_multicast());
  EXPECT_TRUE(SocketAddress().is_unspecified() && SocketAddress::any_v6(1).is_unspecified());
  EXPECT_FALSE(parse("0.0.0.1:1").is_unspecified() || parse("[::1]:1").is_unspecified());
  EXPECT_TRUE(parse("[::1]:1").is_v6());
  EXPECT_FALSE(parse("127.0.0.1:1").is_v6());
}

}  // namespace
}  // namespace skua::tests
