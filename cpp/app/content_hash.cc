#include "app/content_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "base/endian.h"
#include "model/record.h"

namespace ringlog::app {

class content_hash::stream {
 public:
  stream() : state_(XXH3_createState()) {
    CHECK(state_ != nullptr, "no memory for a hash");
    XXH3_64bits_reset(state_);
  }
  ~stream() { XXH3_freeState(state_); }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  status take(const model::batch_view& batch, bytes_view plain) {
    if (batch.is_control()) return {};
    model::record_iterator records(batch, plain);
    for (model::record_view record; records.next(record);) {
      ++sum_.records;
      add_number(record.offset.value());
      add_number(record.timestamp);
      add_bytes(record.key);
      add_bytes(record.value);
      add_number(record.header_count);
      auto headers = record.headers();
      for (model::record_header_view header; headers.next(header);) {
        add_bytes(as_bytes(header.key));
        add_bytes(header.value);
      }
    }
    return {};
  }

  content_summary summary() const {
    content_summary sum = sum_;
    sum.xxh3 = XXH3_64bits_digest(state_);
    return sum;
  }

 private:
  void update(bytes_view bytes) {
    if (!bytes.empty()) XXH3_64bits_update(state_, bytes.data(), bytes.size());
  }

  template <typename Integer>
  void add_number(Integer value) {
    std::byte stored[sizeof(Integer)];
    store_be(stored, value);
    update(stored);
  }

  void add_bytes(const std::optional<bytes_view>& bytes) {
    add_number(bytes ? static_cast<std::int32_t>(bytes->size()) : std::int32_t{-1});
    if (!bytes) return;
    update(*bytes);
    sum_.bytes += static_cast<std::int64_t>(bytes->size());
  }

  XXH3_state_t* state_;
  content_summary sum_;
};

content_hash::content_hash() = default;
content_hash::~content_hash() = default;

storage::batch_visitor content_hash::visitor_of(const topic_partition& name) {
  auto& known = streams_[name];
  known = std::make_shared<stream>();
  return [found = known](const model::batch_view& batch, bytes_view plain) {
    return found->take(batch, plain);
  };
}

content_summary content_hash::summary_of(const topic_partition& name) const {
  const auto found = streams_.find(name);
  return found == streams_.end() ? content_summary() : found->second->summary();
}

}  // namespace ringlog::app
