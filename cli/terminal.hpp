// Text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace skua::cli {

/// Columns of standard output, but no fewer than 40 and no more than 100; 80 where it is no terminal.
std::size_t terminal_width();

/// `text`, which begins at `column`, broken between words so that it ends at `width`; further lines begin at `column`
/// too.
std::string folded(std::string_view text, std::size_t column, std::size_t width);

}  // namespace skua::cli
