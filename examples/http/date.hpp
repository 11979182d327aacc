// The time of day as HTTP writes it.
#pragma once

#include <string_view>

namespace http {

/// "Sun, 06 Nov 1994 08:49:37 GMT". Formatted once a second per thread; valid until this thread calls it again.
std::string_view current_date() noexcept;

}  // namespace http
