#include "storage/time_index.h"

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"

namespace ringlog::storage {

namespace {
bool all_zero(bytes_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}
}  // namespace

result<time_index> time_index::decode(bytes_view content, offset_t base, const std::string& path) {
  if (content.size() % entry_bytes != 0) {
    return make_error(error_code::corrupt, "{}: size {} is no multiple of {}", path, content.size(),
                      entry_bytes);
  }
  time_index index(base);
  index.entries_.reserve(content.size() / entry_bytes);
  for (std::size_t at = 0; at < content.size(); at += entry_bytes) {
    const entry read{load_be<std::int64_t>(content.data() + at),
                     load_be<std::int32_t>(content.data() + at + 8)};
    if (all_zero(content.subspan(at)) && (at != 0 || content.size() > entry_bytes)) break;
    if (read.timestamp < 0 || read.relative_offset < 0 ||
        (!index.entries_.empty() &&
         (read.timestamp <= index.entries_.back().timestamp ||
          read.relative_offset < index.entries_.back().relative_offset))) {
      return make_error(error_code::corrupt, "{}: entry {} does not rise above the one before",
                        path, at / entry_bytes);
    }
    index.entries_.push_back(read);
  }
  index.entries_.shrink_to_fit();
  return index;
}

byte_buffer time_index::encode() const {
  byte_buffer content(entries_.size() * entry_bytes);
  std::byte* target = content.data();
  for (const entry& source : entries_) {
    store_be(target, source.timestamp);
    store_be(target + 8, source.relative_offset);
    target += entry_bytes;
  }
  return content;
}

timestamp_offset time_index::lookup(std::int64_t timestamp) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), timestamp,
                       [](std::int64_t value, const entry& e) { return value < e.timestamp; });
  if (after == entries_.begin()) return {no_timestamp, base_};
  return at(static_cast<std::size_t>(after - entries_.begin()) - 1);
}

timestamp_offset time_index::last() const {
  if (entries_.empty()) return {no_timestamp, base_};
  return at(entries_.size() - 1);
}

void time_index::maybe_append(const timestamp_offset& added) {
  if (added.timestamp <= last().timestamp) return;
  const std::int64_t relative = added.offset - base_;
  CHECK(relative >= 0 && relative <= INT32_MAX, "offset too far from the segment's base",
        added.offset, base_);
  CHECK(added.offset >= last().offset, "offsets of a time index do not fall", added.offset);
  entries_.push_back({added.timestamp, static_cast<std::int32_t>(relative)});
}

void time_index::truncate_to(offset_t end) {
  const std::int64_t relative = end - base_;
  while (!entries_.empty() && entries_.back().relative_offset >= relative) entries_.pop_back();
}

timestamp_offset time_index::at(std::size_t number) const {
  const entry& found = entries_.at(number);
  return {found.timestamp, base_ + found.relative_offset};
}

}  // namespace ringlog::storage
