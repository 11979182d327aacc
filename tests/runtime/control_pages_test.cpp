// The parts of the control endpoint that need no runtime: addresses, requests, pages.
#include <skua/control/control_address.hpp>
#include <skua/control/http.hpp>
#include <skua/control/json_writer.hpp>
#include <skua/control/page.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace skua {
namespace {

TEST(control_address, loopback_and_paths_and_nothing_else) {
  for (const char* const good : {"127.0.0.1:0", "127.0.0.1:65535", "[::1]:9180", "/run/app.sock"}) {
    const auto address = ControlAddress::parse(good);
    ASSERT_TRUE(address) << good;
    EXPECT_EQ(address->to_string(), good);
  }
  const std::string longest = "/" + std::string(106, 'x');
  EXPECT_TRUE(ControlAddress::parse(longest));
  EXPECT_FALSE(ControlAddress::parse(longest + "x"));
  for (const char* const bad : {"", "off", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1",
                                "0.0.0.0:80", "[::]:80", "::1:80", "localhost:80", "app.sock", "./app.sock"}) {
    EXPECT_FALSE(ControlAddress::parse(bad)) << bad;
  }
}

HttpParse parse(std::string_view head) { return parse_request(std::string(head) + "\r\n\r\n"); }

TEST(http_request, what_it_asks_for) {
  const HttpParse parsed =
      parse("GET /tasks?most=7&x=y HTTP/1.1\r\nHost: LocalHost:9180\r\naccept: text/HTML;q=1, */*\r\nX-Other: ok");
  ASSERT_EQ(parsed.outcome, HttpParse::Outcome::request);
  EXPECT_EQ(parsed.request.path, "/tasks");
  EXPECT_EQ(parsed.request.host, "localhost");
  EXPECT_TRUE(parsed.request.wants_html);
  EXPECT_FALSE(parsed.request.is_head);
  EXPECT_EQ(parsed.request.number("most"), 7U);
  EXPECT_EQ(parsed.request.number("x"), std::nullopt);
  EXPECT_EQ(parsed.request.number("none"), std::nullopt);
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: [::1]:80").request.host, "::1");
  EXPECT_TRUE(parse("HEAD / HTTP/1.0").request.is_head);
  EXPECT_FALSE(parse("GET / HTTP/1.1\r\nAccept: */*").request.wants_html);
}

TEST(http_request, in_pieces) {
  const std::string whole = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_request(whole.substr(0, size)).outcome, HttpParse::Outcome::need_more) << size;
  }
  EXPECT_EQ(parse_request(whole).outcome, HttpParse::Outcome::request);
  EXPECT_EQ(parse_request(whole + "more").outcome, HttpParse::Outcome::request);
}

TEST(http_request, what_is_refused) {
  const auto status = [](std::string_view head) { return parse(head).status; };
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("GET"), 400);
  EXPECT_EQ(status("GET /"), 400);
  EXPECT_EQ(status("GET / HTTP/2"), 400);
  EXPECT_EQ(status("GET http://host/ HTTP/1.1"), 400);
  EXPECT_EQ(status("GET /\x7f HTTP/1.1"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\n: a"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost : a"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\n folded"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nHost: b"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1"), 405);
  EXPECT_EQ(status("get / HTTP/1.1"), 405);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nContent-Length: 1"), 413);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nTransfer-Encoding: chunked"), 413);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nContent-Length: 0"), 0);
  EXPECT_EQ(parse_request(std::string(largest_request - 1, 'x')).outcome, HttpParse::Outcome::need_more);
  EXPECT_EQ(parse_request(std::string(largest_request, 'x')).status, 431);
  EXPECT_EQ(parse("GET /" + std::string(largest_request, 'x') + " HTTP/1.1").status, 431);
}

TEST(http_response, head_and_body) {
  HttpResponse response;
  response.status = 404;
  response.body = "none\n";
  const std::string text = response.serialize(false);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_NE(text.find("\r\nContent-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\nnone\n"));
  EXPECT_TRUE(response.serialize(true).ends_with("\r\n\r\n"));
}

Page example() {
  Page page;
  page.title = "A & B";
  page.remarks.emplace_back("one <remark>");
  PageTable& table = page.tables.emplace_back(
      "Things", std::vector<PageTable::Column>{{"name"}, {"how many", PageTable::Align::right}, {"note"}});
  table.rows = {{"<b>", "7", ""}, {"µs", "1234", "\"quoted\"\n\x1b[31m"}};
  page.tables.emplace_back("Nothing", std::vector<PageTable::Column>{{"x"}});
  return page;
}

TEST(page, text_lines_up_and_holds_no_control_characters) {
  EXPECT_EQ(render_text(example()),
            "A & B\none <remark>\n"
            "\nThings\n"
            "name  how many  note\n"
            "<b>          7\n"
            "µs        1234  \"quoted\"??[31m\n"
            "\nNothing\nnone\n");
}

TEST(page, html_escapes_everything) {
  const std::string html = render_html(example(), "/b", {{"/", "all"}, {"/b", "this"}});
  EXPECT_NE(html.find("<title>A &amp; B</title>"), std::string::npos);
  EXPECT_NE(html.find("<p>one &lt;remark&gt;</p>"), std::string::npos);
  EXPECT_NE(html.find("<td>&lt;b&gt;</td><td class=\"right\">7</td>"), std::string::npos);
  EXPECT_NE(html.find("&quot;quoted&quot;??[31m"), std::string::npos);
  EXPECT_NE(html.find("<a href=\"/\">index</a>"), std::string::npos);
  EXPECT_NE(html.find("<a href=\"/b\" aria-current=\"page\">b</a>"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_NE(html.find("prefers-color-scheme: dark"), std::string::npos);
}

TEST(json_writer, values_of_each_kind) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("none", "").member("yes", true).member("n", -7).key("list").begin_array();
  json.value(std::numeric_limits<std::uint64_t>::max()).value(0.1).value(1e300).null();
  json.value(std::numeric_limits<double>::infinity()).begin_object().end_object().begin_array().end_array();
  json.end_array().key("last").begin_object().member("a", std::string("b")).member("c", 2).end_object().end_object();
  EXPECT_EQ(text, R"({"none":"","yes":true,"n":-7,"list":[18446744073709551615,0.1,1e+300,null,null,{},[]],)"
                  R"("last":{"a":"b","c":2}})");
}

std::string as_json(std::string_view string) {
  std::string text;
  JsonWriter(text).value(string);
  return text;
}

TEST(json_writer, whatever_a_string_holds_can_be_read) {
  EXPECT_EQ(as_json("a\"b\\c\nd\te"), R"("a\"b\\c\nd\te")");
  EXPECT_EQ(as_json(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  for (const char* const good : {"ä", "€", "\xED\x9F\xBF", "\xEE\x80\x80", "😀", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(as_json(good), '"' + std::string(good) + '"');
  }
  // A lone continuation, a start without one, "/" in two bytes, half a surrogate pair, beyond U+10FFFF.
  for (const char* const bad : {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "\xE2\x82"}) {
    std::string expected = "\"";
    for (std::size_t i = 0; i < std::string_view(bad).size(); ++i) expected += "\xEF\xBF\xBD";
    EXPECT_EQ(as_json(bad), expected + '"') << bad;
  }
  EXPECT_EQ(as_json("\xC3x\x80y"), "\"\xEF\xBF\xBDx\xEF\xBF\xBDy\"");
}

}  // namespace
}  // namespace skua
