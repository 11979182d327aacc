#include <skua/control/page.hpp>

#include <algorithm>
#include <cstddef>

namespace skua {

namespace {

constexpr std::string_view style = R"css(
:root { color-scheme: light dark; --line: #d8dce2; --dim: #5a6472; --back: #ffffff; --alt: #f5f7f9; --ink: #16202b;
  --link: #0b5fa5; }
@media (prefers-color-scheme: dark) { :root { --line: #343c46; --dim: #98a3b0; --back: #14181d; --alt: #1b2127;
  --ink: #e4e9ee; --link: #7cbcf5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1.6rem 3rem; max-width: 100rem; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding-bottom: .6rem; border-bottom: 1px solid var(--line); }
nav a { text-decoration: none; } nav a[aria-current] { color: var(--ink); font-weight: 600; }
a { color: var(--link); } h1 { font-size: 1.35rem; margin: 1.1rem 0 .4rem; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; } p { margin: .2rem 0; color: var(--dim); }
.wide { overflow-x: auto; margin-top: .7rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: .3rem .8rem .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; white-space: nowrap; }
th { color: var(--dim); font-weight: 600; } tbody tr:nth-child(even) { background: var(--alt); }
.right { text-align: right; }
)css";

// A task's name may hold anything: no control sequence of it reaches the terminal, or the document.
std::string shown(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(result, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return result;
}

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

// Characters, of UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::size_t> widths_of(const PageTable& table) {
  std::vector<std::size_t> widths;
  for (const PageTable::Column& column : table.columns) widths.push_back(width_of(column.name));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

void append_line(std::string& text, const PageTable& table, const std::vector<std::size_t>& widths,
                 const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - width_of(cells[i]), ' ');
    if (i != 0) line += "  ";
    line += table.columns[i].align == PageTable::Align::right ? padding + cells[i] : cells[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  text += line + "\n";
}

void append_text(std::string& text, const PageTable& table) {
  if (!table.title.empty()) text.append("\n").append(table.title).append("\n");
  if (table.rows.empty()) {
    text += table.if_empty + "\n";
    return;
  }
  PageTable printable = table;
  for (auto& row : printable.rows) std::ranges::transform(row, row.begin(), shown);
  const auto widths = widths_of(printable);
  std::vector<std::string> names;
  for (const PageTable::Column& column : table.columns) names.emplace_back(column.name);
  append_line(text, printable, widths, names);
  for (const auto& row : printable.rows) append_line(text, printable, widths, row);
}

void append_cell(std::string& html, std::string_view tag, PageTable::Align align, std::string_view content) {
  html.append("<").append(tag);
  if (align == PageTable::Align::right) html += " class=\"right\"";
  html.append(">").append(content).append("</").append(tag).append(">");
}

void append_html(std::string& html, const PageTable& table) {
  if (!table.title.empty()) html += "<h2>" + escaped(table.title) + "</h2>\n";
  if (table.rows.empty()) {
    html += "<p>" + escaped(table.if_empty) + "</p>\n";
    return;
  }
  html += "<div class=\"wide\"><table>\n<thead><tr>";
  for (const PageTable::Column& column : table.columns) append_cell(html, "th", column.align, escaped(column.name));
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string content = escaped(shown(row[i]));
      if (i == 0 && table.first_is_link) content = "<a href=\"" + content + "\">" + content + "</a>";
      append_cell(html, "td", table.columns[i].align, content);
    }
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
}

}  // namespace

std::string render_text(const Page& page) {
  std::string text = shown(page.title) + "\n";
  for (const std::string& remark : page.remarks) text += shown(remark) + "\n";
  for (const PageTable& table : page.tables) append_text(text, table);
  return text;
}

std::string render_html(const Page& page, std::string_view here, const std::vector<PageLink>& links) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += "<title>" + escaped(page.title) + "</title>\n<style>";
  html.append(style).append("</style>\n</head>\n<body>\n<nav>");
  for (const PageLink& link : links) {
    html.append("<a href=\"").append(link.path).append(link.path == here ? "\" aria-current=\"page\">" : "\">");
    html.append(link.path == "/" ? "index" : link.path.substr(1)).append("</a>\n");
  }
  html += "</nav>\n<main>\n<h1>" + escaped(page.title) + "</h1>\n";
  for (const std::string& remark : page.remarks) html += "<p>" + escaped(remark) + "</p>\n";
  for (const PageTable& table : page.tables) append_html(html, table);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace skua
