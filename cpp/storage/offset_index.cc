#include "storage/offset_index.h"

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"

namespace ringlog::storage {

namespace {
bool all_zero(bytes_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}
}  // namespace

result<offset_index> offset_index::decode(bytes_view content, offset_t base, std::int64_t log_bytes,
                                          const std::string& path) {
  if (content.size() % entry_bytes != 0) {
    return make_error(error_code::corrupt, "{}: size {} is no multiple of {}", path, content.size(),
                      entry_bytes);
  }
  offset_index index(base);
  index.entries_.reserve(content.size() / entry_bytes);
  for (std::size_t at = 0; at < content.size(); at += entry_bytes) {
    const entry read{load_be<std::int32_t>(content.data() + at),
                     load_be<std::int32_t>(content.data() + at + 4)};
    if (read.relative_offset == 0 && read.position == 0) {
      if (!all_zero(content.subspan(at))) {
        return make_error(error_code::corrupt, "{}: an empty entry among others", path);
      }
      break;
    }
    const entry last = index.entries_.empty() ? entry{-1, -1} : index.entries_.back();
    if (read.relative_offset <= last.relative_offset || read.position <= last.position ||
        read.position >= log_bytes) {
      return make_error(error_code::corrupt, "{}: entry {} does not fit the segment", path,
                        at / entry_bytes);
    }
    index.entries_.push_back(read);
  }
  index.entries_.shrink_to_fit();
  return index;
}

byte_buffer offset_index::encode() const {
  byte_buffer content(entries_.size() * entry_bytes);
  std::byte* target = content.data();
  for (const entry& source : entries_) {
    store_be(target, source.relative_offset);
    store_be(target + 4, source.position);
    target += entry_bytes;
  }
  return content;
}

file_position_t offset_index::lookup(offset_t target) const {
  const std::int64_t relative = target - base_;
  const auto after = std::upper_bound(
      entries_.begin(), entries_.end(), relative,
      [](std::int64_t value, const entry& e) { return value < e.relative_offset; });
  if (after == entries_.begin()) return file_position_t(0);
  return file_position_t(std::prev(after)->position);
}

void offset_index::append(offset_t offset, file_position_t position) {
  const std::int64_t relative = offset - base_;
  CHECK(relative >= 0 && relative <= INT32_MAX, "offset too far from the segment's base", offset,
        base_);
  CHECK(position.value() <= INT32_MAX, "position too large for an index", position);
  const entry added{static_cast<std::int32_t>(relative),
                    static_cast<std::int32_t>(position.value())};
  if (!entries_.empty()) {
    CHECK(entries_.back().relative_offset < added.relative_offset, "offsets do not rise", offset);
    CHECK(entries_.back().position < added.position, "positions do not rise", position);
  }
  entries_.push_back(added);
}

void offset_index::truncate_to(offset_t end) {
  const std::int64_t relative = end - base_;
  while (!entries_.empty() && entries_.back().relative_offset >= relative) entries_.pop_back();
}

offset_position offset_index::at(std::size_t number) const {
  const entry& found = entries_.at(number);
  return {base_ + found.relative_offset, file_position_t(found.position)};
}

}  // namespace ringlog::storage
