// Small requests are parsed, dispatched and answered without a single allocation once the buffers have grown.
#include "http/routes.hpp"
#include "http_parsing.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

namespace {
std::size_t allocations = 0;  // the test has one thread
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace http::testing {
namespace {

TEST(HttpParser, small_requests_allocate_nothing) {
  constexpr std::string_view requests =
      "GET /plaintext HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"
      "GET /json HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  const Routes routes = example_routes();
  RequestParser parser;
  std::string output;
  const auto serve = [&] {
    feed(parser, requests);
    while (parser.next() == Progress::complete) {
      append_response(output, routes.answer(parser.request()), Persistence::keep_alive);
    }
    output.clear();
  };
  serve();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) serve();
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(parser.status(), Status::ok);
}

}  // namespace
}  // namespace http::testing
