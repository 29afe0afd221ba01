#include "storage/transaction_index.h"

#include "base/check.h"
#include "base/endian.h"

namespace ringlog::storage {

namespace {
constexpr std::int16_t current_version = 0;
}

result<transaction_index> transaction_index::decode(bytes_view content, const std::string& path) {
  if (content.size() % entry_bytes != 0) {
    return make_error(error_code::corrupt, "{}: size {} is no multiple of {}", path, content.size(),
                      entry_bytes);
  }
  transaction_index index;
  for (std::size_t at = 0; at < content.size(); at += entry_bytes) {
    const std::byte* source = content.data() + at;
    const auto version = load_be<std::int16_t>(source);
    if (version != current_version) {
      return make_error(error_code::unsupported, "{}: version {} of an entry is not known", path,
                        version);
    }
    const aborted_range read{producer_id_t(load_be<std::int64_t>(source + 2)),
                             offset_t(load_be<std::int64_t>(source + 10)),
                             offset_t(load_be<std::int64_t>(source + 18)),
                             offset_t(load_be<std::int64_t>(source + 26))};
    if (!index.entries_.empty() && read.last_offset <= index.entries_.back().last_offset) {
      return make_error(error_code::corrupt, "{}: entry {} does not rise above the one before",
                        path, at / entry_bytes);
    }
    index.entries_.push_back(read);
  }
  return index;
}

byte_buffer transaction_index::encode() const {
  byte_buffer content(entries_.size() * entry_bytes);
  std::byte* target = content.data();
  for (const aborted_range& source : entries_) {
    store_be(target, current_version);
    store_be(target + 2, source.producer_id.value());
    store_be(target + 10, source.first_offset.value());
    store_be(target + 18, source.last_offset.value());
    store_be(target + 26, source.last_stable_offset.value());
    target += entry_bytes;
  }
  return content;
}

void transaction_index::append(const aborted_range& aborted) {
  if (!entries_.empty()) {
    CHECK(entries_.back().last_offset < aborted.last_offset, "markers do not rise",
          aborted.last_offset);
  }
  entries_.push_back(aborted);
}

bool transaction_index::collect(offset_t from, offset_t to,
                                std::vector<aborted_range>& found) const {
  for (const aborted_range& entry : entries_) {
    if (entry.last_offset >= from && entry.first_offset < to) found.push_back(entry);
    if (entry.last_stable_offset >= to) return true;
  }
  return false;
}

void transaction_index::truncate_to(offset_t end) {
  while (!entries_.empty() && entries_.back().last_offset >= end) entries_.pop_back();
}

}  // namespace ringlog::storage
