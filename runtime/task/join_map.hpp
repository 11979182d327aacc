// JoinMap<K, T>: a JoinSet whose tasks have keys: one task for each connection, user, path.
//
//   JoinMap<std::string, int> jobs;
//   jobs.spawn(path, load(path));              // one that runs under this key already is aborted
//   while (auto next = co_await jobs.join_next()) { auto& [path, result] = *next; ... }
//
// What is said of JoinSet holds here too: O(1) for each completion, dropped tasks are aborted, one thread at a time.
#pragma once

#include <skua/task/join_set.hpp>

#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

namespace skua {

template <class K, class T, class Hash = std::hash<K>>
class JoinMap {
 public:
  JoinMap() = default;
  JoinMap(JoinMap&&) noexcept = default;
  JoinMap& operator=(JoinMap&& other) noexcept {
    JoinMap dropped(std::move(other));
    std::swap(entries_, dropped.entries_);
    std::swap(keys_, dropped.keys_);
    return *this;
  }
  ~JoinMap() { abort_all(); }

  /// Spawns `future` under `key`. A task that is there already is aborted, and its output dropped: a key stands for one
  /// task, and join_next() yields the last one's output.
  template <Future F>
    requires std::same_as<Output<F>, T>
  AbortHandle spawn(K key, F future, std::source_location at = std::source_location::current()) {
    return insert(std::move(key), skua::spawn(std::move(future), at));
  }
  /// The same with a task that was spawned before.
  AbortHandle insert(K key, JoinHandle<T> handle) {
    abort(key);
    remove(key);
    AbortHandle abort_handle = handle.abort_handle();
    const auto place = keys_.try_emplace(std::move(key), nullptr).first;
    place->second = &entries_.insert(Member{std::move(handle), &place->first});
    return abort_handle;
  }

  std::size_t len() const noexcept { return entries_.size(); }
  bool is_empty() const noexcept { return len() == 0; }
  /// True as long as the task's output has not been taken, ended or not.
  bool contains(const K& key) const { return keys_.contains(key); }

  /// Asks for the end of the task, which stays in the map until it is joined. False: there is none.
  bool abort(const K& key) noexcept {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return false;
    found->second->value().handle.abort();
    return true;
  }
  /// Takes the task out of the map; it runs on. Nothing: there is none.
  std::optional<JoinHandle<T>> remove(const K& key) {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    Member member = entries_.take(*found->second);
    keys_.erase(found);
    return std::move(member.handle);
  }

  /// A future of key and output of the task that ended first; nothing once the map is empty. Borrows the map.
  class [[nodiscard]] JoinNext {
   public:
    explicit JoinNext(JoinMap& map) noexcept : map_(map) {}
    Poll<std::optional<std::pair<K, JoinResult<T>>>> poll(Context& context) {
      using Next = std::optional<std::pair<K, JoinResult<T>>>;
      if (map_.is_empty()) return Next();
      if (!budget::take(context)) return pending;
      if (Entry* const entry = map_.entries_.pop_finished(context.waker())) return Next(map_.take(*entry));
      budget::give_back();
      return pending;
    }

   private:
    JoinMap& map_;
  };
  /// Cancel safety: nothing is lost: an output leaves the map only when the future is ready with it.
  JoinNext join_next() noexcept { return JoinNext(*this); }

  /// Key and output of a task that has ended; nothing if there is none now.
  std::optional<std::pair<K, JoinResult<T>>> try_join_next() {
    Entry* const entry = entries_.try_pop_finished();
    if (entry == nullptr) return std::nullopt;
    return take(*entry);
  }

  void abort_all() noexcept { entries_.abort_all(); }
  /// Lets all tasks run on by themselves; the map is empty.
  void detach_all() {
    entries_.clear();
    keys_.clear();
  }

 private:
  struct Member {
    JoinHandle<T> handle;
    const K* key;  // in `keys_`, whose elements stay where they are
  };
  using Entry = typename JoinEntries<T, Member>::Entry;

  std::pair<K, JoinResult<T>> take(Entry& entry) {
    Member member = entries_.take(entry);
    auto node = keys_.extract(*member.key);
    return {std::move(node.key()), member.handle.take_output()};
  }

  JoinEntries<T, Member> entries_;
  std::unordered_map<K, Entry*, Hash> keys_;
};

}  // namespace skua
