#include "http/date.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace http {
namespace {

constexpr std::size_t date_size = std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size();
using Text = std::array<char, 80>;  // what the format could take with absurd numbers

struct CachedDate {
  std::time_t second = -1;
  Text text{};
};

// Not strftime(): its names follow the locale, these do not.
void format(std::time_t second, Text& text) noexcept {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::tm time{};
  ::gmtime_r(&second, &time);
  const auto name = [](std::string_view names, int index) { return names.data() + 3 * index; };
  std::snprintf(text.data(), text.size(), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", name(days, time.tm_wday),
                time.tm_mday, name(months, time.tm_mon), time.tm_year + 1900, time.tm_hour, time.tm_min, time.tm_sec);
}

}  // namespace

std::string_view current_date() noexcept {
  thread_local CachedDate cached;
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);  // some 5 ns; whole seconds need no better clock
  if (now.tv_sec != cached.second) {
    cached.second = now.tv_sec;
    format(now.tv_sec, cached.text);
  }
  return {cached.text.data(), date_size};
}

}  // namespace http
