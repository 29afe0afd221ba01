#pragma once

// Batches for tests: small ones with recognisable records.

#include <string>
#include <vector>

#include "model/batch_builder.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

struct test_batch {
  int count = 1;
  std::string value = "value";
  std::int64_t timestamp = 1'795'241'800'000;
  producer_id_t producer_id{no_producer_id};
  producer_epoch_t producer_epoch{no_producer_epoch};
  std::int32_t base_sequence = no_sequence;
  bool transactional = false;
};

inline byte_buffer make_batch(const test_batch& wanted = {}) {
  model::batch_builder builder;
  for (int number = 0; number < wanted.count; ++number) {
    const std::string key = "key-" + std::to_string(number);
    builder.append(wanted.timestamp, as_bytes(key), as_bytes(wanted.value));
  }
  model::batch_fields fields;
  fields.producer_id = wanted.producer_id;
  fields.producer_epoch = wanted.producer_epoch;
  fields.base_sequence = wanted.base_sequence;
  fields.is_transactional = wanted.transactional;
  return std::move(builder).finish(fields);
}

inline std::vector<model::batch_view> batches_of(const log_read& answer) {
  std::vector<model::batch_view> batches;
  for (const shared_bytes& piece : answer.batches) {
    for (bytes_view rest = piece.bytes; !rest.empty();) {
      batches.push_back(**model::parse_batch(rest));
      rest = rest.subspan(batches.back().bytes().size());
    }
  }
  return batches;
}

}  // namespace ringlog::storage
