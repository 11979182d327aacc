// The HTTP request parser: what it accepts, what it refuses and with which status, and that the outcome depends on
// the bytes alone. Every case runs whole and byte by byte.
#include "http_parsing.hpp"

#include <gtest/gtest.h>

#include <random>

namespace http::testing {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// The outcome, the same whichever way the bytes come.
Outcome parse(std::string_view bytes, const Limits& limits = {}) {
  const Outcome whole = parse_whole(bytes, limits);
  EXPECT_EQ(whole, parse_bytewise(bytes, limits));
  return whole;
}

Status status_of(std::string_view bytes, const Limits& limits = {}) {
  const Outcome outcome = parse(bytes, limits);
  EXPECT_TRUE(outcome.requests.empty());
  return outcome.status;
}

// Of a request that is complete and the only one.
Seen only(std::string_view bytes, const Limits& limits = {}) {
  const Outcome outcome = parse(bytes, limits);
  EXPECT_EQ(outcome.status, Status::ok);
  EXPECT_EQ(outcome.phase, Phase::idle);
  EXPECT_EQ(outcome.requests.size(), 1u);
  return outcome.requests.empty() ? Seen{} : outcome.requests.front();
}

std::string get(std::string_view fields) { return "GET / HTTP/1.1\r\nHost: h\r\n"s.append(fields).append("\r\n"); }
std::string post(std::string_view fields, std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\n"s.append(fields).append("\r\n").append(body);
}
std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }
std::string field_of_size(std::size_t size) { return "X: " + std::string(size - 5, 'x') + "\r\n"; }

TEST(HttpParser, reads_a_request_without_body) {
  const Seen seen = only("GET /plaintext?a=b HTTP/1.1\r\nHost: localhost\r\nAccept:\t*/* \r\nEmpty:\r\n\r\n");
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/plaintext?a=b");
  EXPECT_EQ(seen.minor_version, 1);
  EXPECT_EQ(seen.fields, "Host=localhost;Accept=*/*;Empty=;");
  EXPECT_EQ(seen.body, "");
  EXPECT_TRUE(seen.keep_alive);
}

TEST(HttpParser, reads_a_body_by_its_length) {
  EXPECT_EQ(only(post("Content-Length: 5\r\n", "a\0b\nc"sv)).body, "a\0b\nc"sv);
  EXPECT_EQ(only(post("content-length: 0005\r\nCONTENT-LENGTH: 5\r\n", "hello")).body, "hello");
}

TEST(HttpParser, skips_one_empty_line_before_a_request) {
  EXPECT_EQ(only("\r\n" + get("")).method, "GET");
  EXPECT_EQ(status_of("\r\n\r\n" + get("")), Status::bad_request);
}

TEST(HttpParser, knows_the_path_in_every_form_of_target) {
  Request request;
  const auto path = [&](std::string_view target) { return request.target = target, request.path(); };
  EXPECT_EQ(path("/echo?u=http://x/"), "/echo");
  EXPECT_EQ(path("http://host:80/echo?x"), "/echo");
  EXPECT_EQ(path("http://host"), "/");
  EXPECT_EQ(path("*"), "*");
}

TEST(HttpParser, keeps_connections_alive_as_the_version_says) {
  EXPECT_TRUE(only(get("")).keep_alive);
  EXPECT_FALSE(only(get("Connection: close\r\n")).keep_alive);
  EXPECT_FALSE(only(get("Connection: foo ,\tCLOSE\r\n")).keep_alive);
  EXPECT_FALSE(only("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(only("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  EXPECT_FALSE(only("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n").keep_alive);
}

TEST(HttpParser, answers_pipelined_requests_in_order) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes +=
        post("N: " + std::to_string(i) + "\r\nContent-Length: 3\r\n", "abc") + get("") + chunked("1\r\nx\r\n0\r\n\r\n");
  }
  const Outcome outcome = parse(bytes);
  ASSERT_EQ(outcome.requests.size(), 900u);
  EXPECT_EQ(outcome.requests[897].fields, "Host=h;N=299;Content-Length=3;");
  EXPECT_EQ(outcome.requests[899].body, "x");
}

TEST(HttpParser, answers_what_came_before_an_error) {
  const Outcome outcome = parse(get("") + get("") + "nonsense\r\n\r\n");
  EXPECT_EQ(outcome.requests.size(), 2u);
  EXPECT_EQ(outcome.status, Status::bad_request);
}

TEST(HttpParser, refuses_malformed_request_lines) {
  for (const auto line :
       {"GET / HTTP/1.1 "sv, "GET  / HTTP/1.1"sv, " GET / HTTP/1.1"sv, "GET\t/ HTTP/1.1"sv, "GET /"sv, "GET"sv,
        "G@T / HTTP/1.1"sv, "GET /a b HTTP/1.1"sv, "GET /\x80 HTTP/1.1"sv, "GET /\x7f HTTP/1.1"sv, "GET /\0 HTTP/1.1"sv,
        "GET /\r HTTP/1.1"sv, "GET / http/1.1"sv, "GET / HTTP/1"sv, "GET / HTTP/1.10"sv, "GET / HTTP/a.b"sv,
        "GET / XTTP/1.1"sv, "\x16\x03\x01\x02"sv}) {
    EXPECT_EQ(status_of(std::string(line) + "\r\nHost: h\r\n\r\n"), Status::bad_request) << line;
  }
}

TEST(HttpParser, refuses_unknown_versions) {
  for (const auto version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/3.0"}) {
    EXPECT_EQ(status_of("GET / "s + version + "\r\nHost: h\r\n\r\n"), Status::version_not_supported) << version;
  }
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\n"), Status::version_not_supported);
}

TEST(HttpParser, requires_one_host) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), Status::bad_request);
  EXPECT_EQ(only("GET / HTTP/1.1\r\nhOST: [::1]:80\r\n\r\n").fields, "hOST=[::1]:80;");
}

TEST(HttpParser, refuses_expectations_it_cannot_meet) {
  EXPECT_EQ(status_of(get("Expect: miracles\r\n")), Status::expectation_failed);
  EXPECT_EQ(only("GET / HTTP/1.0\r\nExpect: miracles\r\n\r\n").method, "GET");
}

TEST(HttpParser, asks_for_the_body_once_if_the_client_waits) {
  RequestParser parser;
  const std::string head = post("Expect: 100-continue\r\nContent-Length: 2\r\n", "");
  feed(parser, head);
  EXPECT_EQ(parser.next(), Progress::need_more);
  EXPECT_TRUE(parser.take_continue());
  EXPECT_FALSE(parser.take_continue());
  feed(parser, "hi" + head + "h");
  EXPECT_EQ(parser.next(), Progress::complete);
  EXPECT_EQ(parser.next(), Progress::need_more);
  EXPECT_FALSE(parser.take_continue()) << "the client did not wait";
}

TEST(HttpParser, knows_what_it_waits_for) {
  RequestParser parser;
  const auto phase_after = [&](std::string_view bytes) {
    feed(parser, bytes);
    while (parser.next() == Progress::complete) {
    }
    return parser.phase();
  };
  EXPECT_EQ(phase_after(""), Phase::idle);
  EXPECT_EQ(phase_after("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"), Phase::head);
  EXPECT_EQ(phase_after("\r\n1"), Phase::body);
  EXPECT_EQ(phase_after("2"), Phase::idle);
}

// ---- limits: the last byte that is allowed, and the first that is not

TEST(HttpParser, limits_the_request_line) {
  const auto request = [](std::size_t size) {
    return "GET /" + std::string(size - 16, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  EXPECT_EQ(only(request(8192)).target.size(), 8192u - 15);
  EXPECT_EQ(only("\r\n" + request(8192)).method, "GET") << "the empty line before it does not count";
  EXPECT_EQ(status_of(request(8193)), Status::header_fields_too_large);
  EXPECT_EQ(status_of(std::string(8192, 'x')), Status::header_fields_too_large) << "without waiting for its end";
  EXPECT_EQ(parse(std::string(8191, 'x')).phase, Phase::head);
}

TEST(HttpParser, limits_the_size_of_all_fields) {
  constexpr std::size_t host = "Host: h\r\n"sv.size();
  constexpr std::size_t end = "\r\n"sv.size();
  EXPECT_EQ(only(get(field_of_size(16384) + field_of_size(16384 - host - end))).method, "GET");
  EXPECT_EQ(status_of(get(field_of_size(16384) + field_of_size(16384 - host - end + 1))),
            Status::header_fields_too_large);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nX: " + std::string(32768 - 3, 'x')), Status::header_fields_too_large);
}

TEST(HttpParser, limits_the_number_of_fields) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "A: b\r\n";
  EXPECT_EQ(only(get(fields)).method, "GET");
  EXPECT_EQ(status_of(get(fields + "A: b\r\n")), Status::header_fields_too_large);
}

TEST(HttpParser, limits_a_body_by_its_announced_length) {
  const std::string body(1024 * 1024, 'b');
  EXPECT_EQ(only(post("Content-Length: 1048576\r\n", body)).body, body);
  EXPECT_EQ(status_of(post("Content-Length: 1048577\r\n", "")), Status::content_too_large);
  EXPECT_EQ(status_of(post("Expect: 100-continue\r\nContent-Length: 9999999\r\n", "")), Status::content_too_large);
}

TEST(HttpParser, limits_a_chunked_body) {
  Limits limits;
  limits.body = 10;
  EXPECT_EQ(only(chunked("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n"), limits).body, "abcdeabcde");
  EXPECT_EQ(status_of(chunked("5\r\nabcde\r\n6\r\n"), limits), Status::content_too_large);
  EXPECT_EQ(status_of(chunked("fffffffffffffff0\r\n"), limits), Status::content_too_large);
  EXPECT_EQ(status_of(chunked("100000000000000000\r\n"), limits), Status::bad_request) << "does not fit in 64 bits";
}

TEST(HttpParser, limits_chunk_lines_and_trailers) {
  const auto extension = [](std::size_t size) { return "0;" + std::string(size - 4, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(only(chunked(extension(256))).body, "");
  EXPECT_EQ(status_of(chunked(extension(257))), Status::bad_request);
  std::string trailers;
  for (int i = 0; i < 100; ++i) trailers += "A: b\r\n";
  EXPECT_EQ(only(chunked("0\r\n" + trailers + "\r\n")).body, "");
  EXPECT_EQ(status_of(chunked("0\r\n" + trailers + "A: b\r\n\r\n")), Status::header_fields_too_large);
  EXPECT_EQ(status_of(chunked("0\r\nA: " + std::string(32768, 'x'))), Status::header_fields_too_large);
  EXPECT_EQ(only(chunked("0\r\n" + field_of_size(16384) + field_of_size(16382) + "\r\n")).body, "");
  EXPECT_EQ(status_of(chunked("0\r\n" + field_of_size(16384) + field_of_size(16383) + "\r\n")),
            Status::header_fields_too_large);
}

// ---- the chunked coding

TEST(HttpParser, decodes_chunks) {
  const Seen seen =
      only(chunked("5\r\nhello\r\n0B;a=\"b\"\r\n, wide\r\nwor\r\n02\r\nld\r\n000\r\nTrailer: dropped\r\n\r\n"));
  EXPECT_EQ(seen.body, "hello, wide\r\nworld");
  EXPECT_EQ(seen.fields, "Host=h;Transfer-Encoding=chunked;");
  EXPECT_EQ(only(post("transfer-encoding: CHUNKED\r\n", "1\r\nx\r\n0\r\n\r\n")).body, "x");
}

TEST(HttpParser, decodes_a_long_body_of_small_chunks_in_a_small_buffer) {
  std::string encoded, expected;
  for (int i = 0; i < 20000; ++i) {
    encoded += "3\r\nabc\r\n";
    expected += "abc";
  }
  EXPECT_EQ(only(chunked(encoded + "0\r\n\r\n")).body, expected);
}

TEST(HttpParser, refuses_malformed_chunks) {
  for (const auto body : {"\r\n"sv,
                          "x\r\n"sv,
                          "-1\r\n"sv,
                          "+1\r\n"sv,
                          "0x1\r\n"sv,
                          " 1\r\n"sv,
                          "1 \r\n"sv,
                          "1 ;a\r\n"sv,
                          "1\n"sv,
                          "1;\0\r\n"sv,
                          "1;a\rb\r\n"sv,
                          "1\r\nab\r\n"sv,
                          "1\r\nabc"sv,
                          "1;\nx\r\n0\r\n\r\n"sv,
                          "0\r\nT: u\n\r\n"sv,
                          "1\r\na\n"sv,
                          "1\r\na0\r\n\r\n"sv,
                          "0\r\n\n"sv,
                          "0\r\n folded: x\r\n\r\n"sv,
                          "0\r\nno colon\r\n\r\n"sv}) {
    EXPECT_EQ(status_of(chunked(body)), Status::bad_request) << body;
  }
}

// ---- smuggling: what two parties could read in two ways

TEST(HttpParser, refuses_ambiguous_ends_of_lines) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: h\n\n"), Status::bad_request);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\n\r\n"), Status::bad_request);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\n\n"), Status::bad_request);
  EXPECT_EQ(status_of("\n"), Status::bad_request);
  EXPECT_EQ(status_of(get("A: b\rC: d\r\n")), Status::bad_request);
  EXPECT_EQ(status_of(get("A: b\r\r\n")), Status::bad_request);
}

TEST(HttpParser, refuses_ambiguous_fields) {
  for (const auto field :
       {" folded: x"sv, "\tfolded"sv, "Name : x"sv, "Name\t: x"sv, ": x"sv, "no colon"sv, "Na me: x"sv, "Na(me): x"sv,
        "Name\0: x"sv, "Name: a\0b"sv, "Name: a\x01"sv, "Name: \x7f"sv, "N\xc3\xa4me: x"sv}) {
    EXPECT_EQ(status_of(get(std::string(field) + "\r\n")), Status::bad_request) << field;
  }
  EXPECT_EQ(only(get("Name: \xc3\xa4\tb\r\n")).fields, "Host=h;Name=\xc3\xa4\tb;");
}

TEST(HttpParser, refuses_ambiguous_lengths) {
  for (const auto length :
       {"-1", "+1", "1 1", "1,1", "1.0", "0x1", "", "a", "1a", "18446744073709551616", "99999999999999999999999999"}) {
    EXPECT_EQ(status_of(post("Content-Length: "s + length + "\r\n", "x")), Status::bad_request) << length;
  }
  EXPECT_EQ(status_of(post("Content-Length: 18446744073709551615\r\n", "")), Status::content_too_large);
  EXPECT_EQ(status_of(post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab")), Status::bad_request);
}

TEST(HttpParser, refuses_ambiguous_codings) {
  const std::string body = "0\r\n\r\n";
  EXPECT_EQ(status_of(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", body)), Status::bad_request);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", body)), Status::bad_request);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", body)), Status::bad_request);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + body), Status::bad_request);
  for (const auto coding : {"gzip", "gzip, chunked", "chunked, identity", "identity", "xchunked", "\"chunked\"", ""}) {
    EXPECT_EQ(status_of(post("Transfer-Encoding: "s + coding + "\r\n", body)), Status::not_implemented) << coding;
  }
}

// ---- any split, any bytes

TEST(HttpParser, does_not_depend_on_how_the_bytes_are_split) {
  const std::string bytes = get("A: b\r\n") + post("Content-Length: 9000\r\n", std::string(9000, 'x')) +
                            chunked("5\r\nhello\r\n1f40\r\n" + std::string(8000, 'y') + "\r\n0\r\nT: u\r\n\r\n") +
                            get("Connection: close\r\n") + "GET / HTTP/9.9\r\n\r\n";
  const Outcome whole = parse_whole(bytes);
  ASSERT_EQ(whole.requests.size(), 4u);
  ASSERT_EQ(whole.status, Status::version_not_supported);
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::uniform_int_distribution<std::size_t> size(1, std::size_t{1} << (round % 14));
    ASSERT_EQ(whole, parse_in_pieces(bytes, [&] { return size(random); })) << "round " << round;
  }
}

TEST(HttpParser, does_not_depend_on_the_split_when_bytes_are_damaged) {
  const std::string original =
      post("Content-Length: 5\r\nA: b\r\n", "hello") + chunked("5;e\r\nhello\r\n0\r\nT: u\r\n\r\n") + get("");
  constexpr std::string_view replacements = "\r\n :;0a\0\x7f\xff,-"sv;
  std::mt19937 random(2);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = original;
    for (auto damages = 1 + random() % 3; damages > 0; --damages) {
      const auto at = random() % bytes.size();
      if (random() % 3 == 0) {
        bytes.erase(at, 1);
      } else {
        bytes[at] = replacements[random() % replacements.size()];
      }
    }
    ASSERT_EQ(parse_whole(bytes), parse_in_pieces(bytes, [&] { return 1 + random() % 20; })) << bytes;
  }
}

}  // namespace
}  // namespace http::testing
