#pragma once

#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/endian.h"
#include "storage/journal/journal_format.h"

// How the fields of the journal and of its checkpoint are written and read. For these two alone.
namespace ringlog::storage {

// Writes field after field into a buffer that its caller has measured.
class field_writer {
 public:
  explicit field_writer(std::byte* target) : start_(target), at_(target) {}

  template <std::integral T>
  void put(T value) {
    store_be(at_, value);
    at_ += sizeof(T);
  }
  void put(offset_t value) { put(value.value()); }
  void put(bytes_view bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void put(const uuid& id) { put(bytes_view(id.bytes)); }

  std::size_t written() const { return static_cast<std::size_t>(at_ - start_); }

 private:
  std::byte* start_;
  std::byte* at_;
};

// Reads field after field; the caller has asked has() for their size.
class field_reader {
 public:
  explicit field_reader(bytes_view bytes) : left_(bytes) {}

  bool has(std::size_t bytes) const { return left_.size() >= bytes; }

  template <std::integral T>
  T take() {
    return load_be<T>(take_bytes(sizeof(T)).data());
  }
  offset_t take_offset() { return offset_t(take<std::int64_t>()); }
  uuid take_uuid() {
    uuid id;
    std::memcpy(id.bytes.data(), take_bytes(sizeof(uuid)).data(), sizeof(uuid));
    return id;
  }
  bytes_view take_bytes(std::size_t bytes) {
    CHECK(has(bytes), "fields are measured before they are read");
    const bytes_view taken = left_.first(bytes);
    left_ = left_.subspan(bytes);
    return taken;
  }
  bytes_view rest() const { return left_; }

 private:
  bytes_view left_;
};

// Of a journaled_log, but for the topic's name.
inline constexpr std::size_t journaled_log_bytes = sizeof(uuid) + 4 + 4 * 8 + 2;
inline constexpr std::uint16_t log_flag_outside = 1;

inline void put_log(field_writer& out, const journaled_log& log) {
  out.put(log.topic_id);
  out.put(log.name.partition.value());
  out.put(log.log_start);
  out.put(log.end);
  out.put(log.segment_base);
  out.put(log.position);
  out.put(log.is_outside ? log_flag_outside : std::uint16_t{0});
}

inline journaled_log take_log(field_reader& in) {
  journaled_log log;
  log.topic_id = in.take_uuid();
  log.name.partition = partition_id_t(in.take<std::int32_t>());
  log.log_start = in.take_offset();
  log.end = in.take_offset();
  log.segment_base = in.take_offset();
  log.position = in.take<std::int64_t>();
  log.is_outside = (in.take<std::uint16_t>() & log_flag_outside) != 0;
  return log;
}

}  // namespace ringlog::storage
