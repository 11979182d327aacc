#include <skua/metrics/spawn_sites.hpp>
#include <skua/scheduler/scheduler.hpp>

#include <algorithm>
#include <functional>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace skua {

namespace {

// A line in a header is one place, although each translation unit has a text of its own for its name.
struct Place {
  std::string_view file;
  std::uint_least32_t line;
  friend bool operator==(const Place&, const Place&) noexcept = default;
};
struct PlaceHash {
  std::size_t operator()(const Place& place) const noexcept {
    return std::hash<std::string_view>()(place.file) ^ (std::size_t{place.line} * 0x9E3779B97F4A7C15U);
  }
};

}  // namespace

std::vector<SpawnSite> count_by_spawn_site(scheduler::Scheduler& scheduler) {
  std::unordered_map<Place, SpawnSite, PlaceHash> sites;
  scheduler.visit_spawn_sites([&sites](std::source_location at, std::size_t bytes) {
    SpawnSite& site = sites[{at.file_name(), at.line()}];
    site.at = at;
    ++site.tasks;
    site.bytes += bytes;
  });
  std::vector<SpawnSite> sorted;
  for (const auto& [place, site] : sites) sorted.push_back(site);
  std::ranges::sort(sorted, [](const SpawnSite& a, const SpawnSite& b) {
    const auto key = [](const SpawnSite& site) {
      return std::tuple(~site.tasks, std::string_view(site.at.file_name()), site.at.line());
    };
    return key(a) < key(b);
  });
  return sorted;
}

}  // namespace skua
