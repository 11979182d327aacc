// The heap of a DelayQueue against a sorted map: which entry is the first, and what a key that is gone is worth.
#include <skua/time/delay_heap.hpp>

#include "input.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace skua::tests {
namespace {

class HeapFuzzer {
 public:
  explicit HeapFuzzer(Input input) : input_(input) {}

  void run() {
    while (!input_.is_over()) {
      step();
      check();
    }
  }

 private:
  using Order = std::pair<Instant, std::uint64_t>;

  void step() {
    switch (input_.below(8)) {
      case 0: return clear();
      case 1:
      case 2:
      case 3: return insert();
      case 4: return move();
      case 5:
        if (!sorted_.empty()) erase(heap_.first());
        return;
      default:
        if (!keys_.empty()) erase(keys_[input_.below(256) % keys_.size()]);
    }
  }

  Instant deadline() { return Instant(Duration(input_.below(2) != 0 ? input_.below(4) : input_.byte())); }

  void insert() {
    if (sorted_.size() == 64) return;
    const Instant when = deadline();
    const DelayKey key = heap_.insert(when);
    for (const DelayKey& other : keys_) require(!(key == other), "a key names two entries");
    if (keys_.size() == 256) keys_.erase(keys_.begin());
    keys_.push_back(key);
    sorted_.emplace(Order(when, inserted_++), key);
  }

  void move() {
    if (keys_.empty()) return;
    const DelayKey key = keys_[input_.below(256) % keys_.size()];
    const auto place = find(key);
    require(heap_.contains(key) == (place != sorted_.end()), "contains()");
    if (place == sorted_.end()) return;
    require(heap_.deadline(key) == place->first.first, "deadline()");
    const Instant when = deadline();
    heap_.move(key, when);
    sorted_.erase(place);
    sorted_.emplace(Order(when, inserted_++), key);
  }

  void erase(DelayKey key) {
    const auto place = find(key);
    require(heap_.contains(key) == (place != sorted_.end()), "contains()");
    if (place == sorted_.end()) return;
    heap_.erase(key);
    sorted_.erase(place);
    require(!heap_.contains(key), "it is still there");
  }

  void clear() {
    if (input_.below(8) != 0) return;
    heap_.clear();
    sorted_.clear();
  }

  std::map<Order, DelayKey>::iterator find(DelayKey key) {
    auto place = sorted_.begin();
    while (place != sorted_.end() && !(place->second == key)) ++place;
    return place;
  }

  void check() {
    require(heap_.size() == sorted_.size(), "size()");
    require(heap_.slots() <= 64, "slots are not used again");
    if (sorted_.empty()) return;
    require(heap_.first() == sorted_.begin()->second, "first()");
    require(heap_.first_deadline() == sorted_.begin()->first.first, "first_deadline()");
  }

  Input input_;
  DelayHeap heap_;
  std::map<Order, DelayKey> sorted_;
  std::vector<DelayKey> keys_;  // of entries that are there, and that are gone
  std::uint64_t inserted_ = 0;
};

}  // namespace
}  // namespace skua::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  skua::tests::HeapFuzzer(skua::tests::Input(bytes, count)).run();
  return 0;
}
