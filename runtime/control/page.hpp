// Page: what the control endpoint has to say, before it is known whether a person at a terminal or a browser asks.
//
// A page is a title, remarks, and tables; render_text() lines the tables up for a terminal, render_html() makes a small
// document of it, without scripts, that follows the browser's dark mode. Cells are plain text: HTML escapes them all.
// Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skua {

struct PageTable {
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string_view name;
    Align align = Align::left;
  };

  PageTable() = default;
  PageTable(std::string_view heading, std::vector<Column> named) : title(heading), columns(std::move(named)) {}

  std::string_view title;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // as many cells as there are columns
  std::string if_empty = "none";
  bool first_is_link = false;  // the first cell is the path of a page
};

struct Page {
  std::string title;
  std::vector<std::string> remarks;
  std::vector<PageTable> tables;
};

/// A page that one can go to from all the others.
struct PageLink {
  std::string_view path;  // "/tasks"
  std::string_view about;
};

std::string render_text(const Page& page);
/// `here` is the path of the page.
std::string render_html(const Page& page, std::string_view here, const std::vector<PageLink>& links);

}  // namespace skua
