#include "io/sim/stored_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ringlog::io::sim {

void stored_bytes::write_into(byte_buffer& target, std::uint64_t position, bytes_view source) {
  if (source.empty()) return;
  if (target.size() < position + source.size()) target.resize(position + source.size());
  std::ranges::copy(source, target.begin() + static_cast<std::ptrdiff_t>(position));
}

void stored_bytes::apply(byte_buffer& target, const change& one) {
  if (one.is_resize) {
    target.resize(one.position);
  } else {
    write_into(target, one.position, one.bytes);
  }
}

std::shared_ptr<const stored_bytes::write_under_way> stored_bytes::begin_write(
    std::uint64_t position, byte_buffer bytes) {
  std::erase_if(under_way_, [](const auto& old) { return old.expired(); });
  auto begun = std::make_shared<const write_under_way>(write_under_way{position, std::move(bytes)});
  under_way_.push_back(begun);
  return begun;
}

void stored_bytes::cut_off() {
  for (const auto& begun : std::exchange(under_way_, {})) {
    const auto alive = begun.lock();
    if (alive == nullptr || alive->bytes.empty()) continue;
    pending_.push_back({.is_under_way = true, .position = alive->position, .bytes = alive->bytes});
  }
}

void stored_bytes::write(std::uint64_t position, bytes_view source) {
  write_into(content_, position, source);
  if (!source.empty()) {
    pending_.push_back({.position = position, .bytes = to_buffer(source)});
  }
}

void stored_bytes::resize(std::uint64_t size) {
  content_.resize(size);
  pending_.push_back({.is_resize = true, .position = size, .bytes = {}});
}

void stored_bytes::sync() {
  for (const change& one : pending_) apply(durable_, one);
  pending_.clear();
}

void stored_bytes::sync_range(std::uint64_t position, std::uint64_t size,
                              std::uint64_t sector_bytes) {
  if (std::ranges::any_of(pending_, &change::is_resize)) return sync();
  const std::uint64_t low = position / sector_bytes * sector_bytes;
  const std::uint64_t high = (position + size + sector_bytes - 1) / sector_bytes * sector_bytes;
  std::vector<change> left;
  for (const change& one : pending_) {
    const bytes_view bytes(one.bytes);
    const std::uint64_t end = one.position + bytes.size();
    const std::uint64_t from = std::clamp(low, one.position, end);
    const std::uint64_t to = std::clamp(high, from, end);
    const auto part = [&](std::uint64_t begin, std::uint64_t until) {
      return bytes.subspan(begin - one.position, until - begin);
    };
    write_into(durable_, from, part(from, to));
    if (from > one.position) {
      left.push_back({.position = one.position, .bytes = to_buffer(part(one.position, from))});
    }
    if (to < end) left.push_back({.position = to, .bytes = to_buffer(part(to, end))});
  }
  pending_ = std::move(left);
}

void stored_bytes::fail_sync(random_source& random) {
  for (const change& one : pending_) {
    if (one.is_resize || random.one_in(2)) apply(durable_, one);
  }
  pending_.clear();
}

// All before the first change of size that is lost.
std::size_t stored_bytes::surviving_changes(random_source& random) const {
  const auto resizes =
      static_cast<std::uint64_t>(std::ranges::count_if(pending_, &change::is_resize));
  std::uint64_t kept = random.below(resizes + 1);
  if (random.one_in(2)) kept = resizes;
  std::size_t index = 0;
  for (; index < pending_.size(); ++index) {
    if (!pending_[index].is_resize) continue;
    if (kept == 0) break;
    --kept;
  }
  return index;
}

// How many of the unsynced changes each sector keeps. A quarter of the files, or of the writes
// under way, loses all, a quarter keeps all, the rest differs by sector.
class stored_bytes::crash_dice {
 public:
  crash_dice(random_source& random, std::uint64_t sector_size, std::size_t changes)
      : sector_bytes(sector_size), random_(random), changes_(changes), mood_(random.below(4)) {}

  std::size_t kept_of(std::uint64_t sector) {
    const auto [kept, first_asked] = kept_.try_emplace(sector);
    if (first_asked) kept->second = draw();
    return kept->second;
  }

  bool one_in(std::uint64_t count) { return random_.one_in(count); }

  const std::uint64_t sector_bytes;

 private:
  std::size_t draw() {
    const std::uint64_t which = mood_ < 2 ? mood_ : random_.below(3);
    if (which == 0) return 0;
    return which == 1 ? changes_ : random_.below(changes_ + 1);
  }

  random_source& random_;
  std::size_t changes_;
  std::uint64_t mood_;
  std::map<std::uint64_t, std::size_t> kept_;
};

void stored_bytes::crash(random_source& random, std::uint64_t sector_bytes, event_counts& events) {
  const std::size_t end = surviving_changes(random);
  if (end < pending_.size()) ++events["crash lost a change of size"];
  crash_dice dice(random, sector_bytes, pending_.size());
  for (std::size_t index = 0; index < end; ++index) {
    if (pending_[index].is_resize) {
      apply(durable_, pending_[index]);
    } else if (pending_[index].is_under_way) {
      crash_dice own(random, sector_bytes, 1);
      crash_write(pending_[index], 0, own, events);
    } else {
      crash_write(pending_[index], index, dice, events);
    }
  }
  pending_.clear();
  content_ = durable_;
}

void stored_bytes::crash_write(const change& one, std::size_t age, crash_dice& dice,
                               event_counts& events) {
  const bytes_view bytes(one.bytes);
  bool some_kept = false;
  bool some_lost = false;
  for (std::size_t done = 0; done < bytes.size();) {
    const std::uint64_t position = one.position + done;
    const std::uint64_t sector = position / dice.sector_bytes;
    const std::size_t size =
        std::min<std::uint64_t>(bytes.size() - done, (sector + 1) * dice.sector_bytes - position);
    if (age < dice.kept_of(sector)) {
      write_into(durable_, position, bytes.subspan(done, size));
      some_kept = true;
    } else {
      some_lost = true;
    }
    done += size;
  }
  const std::uint64_t end = one.position + bytes.size();
  if (some_lost && durable_.size() < end && dice.one_in(4)) {
    durable_.resize(end);
    ++events["crash left zeros at the end"];
  }
  const char* outcome = !some_lost ? "kept" : some_kept ? "tore" : "lost";
  ++events[fmt::format("crash {} a write{}", outcome, one.is_under_way ? " under way" : "")];
}

void stored_bytes::flip_bit(random_source& random, std::uint64_t position, std::uint64_t size) {
  if (content_.size() <= position) return;
  const std::uint64_t range = std::min<std::uint64_t>(size, content_.size() - position);
  const std::size_t index = position + random.below(range);
  const auto bit = static_cast<std::byte>(1u << random.below(8));
  content_[index] ^= bit;
  if (index < durable_.size()) durable_[index] ^= bit;
}

}  // namespace ringlog::io::sim
