#include "storage/log_validator.h"

#include <limits>
#include <numeric>

#include "codec/codec.h"
#include "model/batch_builder.h"
#include "model/record.h"

namespace ringlog::storage {

std::size_t validated_batches::bytes() const {
  return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

namespace {

status check_timestamp(std::int64_t timestamp, const log_config& config, std::int64_t now_ms) {
  if (timestamp == no_timestamp) return {};
  const bool too_old =
      now_ms > timestamp && now_ms - timestamp > config.message_timestamp_before_ms_max;
  const bool too_young =
      timestamp > now_ms && timestamp - now_ms > config.message_timestamp_after_ms_max;
  if (!too_old && !too_young) return {};
  return make_error(
      error_code::invalid_timestamp,
      "timestamp {} is more than {} ms {} the broker's clock, {} "
      "(message.timestamp.{}.max.ms)",
      timestamp,
      too_old ? config.message_timestamp_before_ms_max : config.message_timestamp_after_ms_max,
      too_old ? "behind" : "ahead of", now_ms, too_old ? "before" : "after");
}

bool checks_timestamps(const log_config& config, append_origin origin) {
  return origin == append_origin::client &&
         config.message_timestamp_type == timestamp_type::create_time;
}

// Whether the records themselves must be looked at, or the header says enough.
bool needs_records(const log_config& config, const append_options& options) {
  if (options.origin != append_origin::client) return false;
  if (!options.trusted || config.cleanup_compact) return true;
  return checks_timestamps(config, options.origin) &&
         config.message_timestamp_before_ms_max != std::numeric_limits<std::int64_t>::max();
}

status check_records(const model::batch_view& batch, bytes_view records, const log_config& config,
                     const append_options& options, std::int64_t now_ms) {
  if (!options.trusted) TRY(model::validate_records(batch, records));
  model::record_iterator iterator(batch, records);
  std::int64_t largest = no_timestamp;
  for (model::record_view record; iterator.next(record);) {
    if (config.cleanup_compact && !record.key) {
      return make_error(error_code::invalid_record,
                        "a compacted topic takes no record without a key (record {} of the batch)",
                        record.offset - batch.base_offset());
    }
    if (checks_timestamps(config, options.origin)) {
      TRY(check_timestamp(record.timestamp, config, now_ms));
    }
    largest = std::max(largest, record.timestamp);
  }
  TRY(iterator.outcome());
  if (batch.timestamps() == timestamp_type::create_time && largest != batch.max_timestamp()) {
    return make_error(error_code::invalid_record,
                      "the header says {} for the largest timestamp, the records {}",
                      batch.max_timestamp(), largest);
  }
  return {};
}

int level_of(const log_config& config, compression_type type) {
  switch (type) {
    case compression_type::gzip:
      return config.compression_gzip_level;
    case compression_type::lz4:
      return config.compression_lz4_level;
    case compression_type::zstd:
      return config.compression_zstd_level;
    case compression_type::snappy:
    case compression_type::none:
      break;
  }
  return 0;
}

result<byte_buffer> recode(const model::batch_view& batch, bytes_view plain,
                           const log_config& config) {
  const compression_type wanted = *config.compression;
  if (wanted == compression_type::none) return model::replace_records(batch, plain, wanted);
  TRY_ASSIGN(const byte_buffer packed, codec::compress(wanted, plain, level_of(config, wanted)));
  return model::replace_records(batch, packed, wanted);
}

status check_size(std::size_t bytes, const log_config& config, const append_options& options) {
  if (options.origin != append_origin::client ||
      static_cast<std::int64_t>(bytes) <= config.message_bytes_max) {
    return {};
  }
  return make_error(error_code::message_too_large,
                    "a batch of {} bytes is larger than the topic takes, {} (max.message.bytes)",
                    bytes, config.message_bytes_max);
}

}  // namespace

result<validated_batches> validate_batches(bytes_view batches, const log_config& config,
                                           const append_options& options, std::int64_t now_ms) {
  const bool client = options.origin == append_origin::client;
  validated_batches valid;
  byte_buffer recoded;
  bool any_recoded = false;
  for (bytes_view rest = batches; !rest.empty();) {
    TRY_ASSIGN(const auto batch, model::parse_batch(rest));
    if (!batch) {
      return make_error(error_code::corrupt, "the last {} bytes are no whole batch", rest.size());
    }
    rest = rest.subspan(batch->bytes().size());
    TRY(model::validate(*batch, client && !options.trusted ? model::validation_level::produced
                                                           : model::validation_level::header));
    const bool recodes = client && config.compression && !batch->is_control() &&
                         *config.compression != batch->compression();
    const bool looks_inside = needs_records(config, options);
    byte_buffer unpacked;
    bytes_view plain = batch->records();
    if ((looks_inside || recodes) && batch->compression() != compression_type::none) {
      TRY_ASSIGN(unpacked, codec::decompress(batch->compression(), plain));
      plain = unpacked;
    }
    if (looks_inside) {
      TRY(check_records(*batch, plain, config, options, now_ms));
    } else if (checks_timestamps(config, options.origin)) {
      TRY(check_timestamp(batch->max_timestamp(), config, now_ms));
    }
    if (recodes && !any_recoded) {
      any_recoded = true;
      append(recoded, batches.first(valid.bytes()));
    }
    if (recodes) {
      TRY_ASSIGN(const byte_buffer changed, recode(*batch, plain, config));
      TRY(check_size(changed.size(), config, options));
      append(recoded, changed);
      valid.sizes.push_back(changed.size());
    } else {
      TRY(check_size(batch->bytes().size(), config, options));
      if (any_recoded) append(recoded, batch->bytes());
      valid.sizes.push_back(batch->bytes().size());
    }
  }
  if (valid.sizes.empty()) {
    return make_error(error_code::invalid_record, "an append needs at least one batch");
  }
  if (static_cast<std::int64_t>(valid.bytes()) > config.segment_bytes) {
    return make_error(error_code::record_list_too_large,
                      "{} bytes do not fit into a segment of {} (segment.bytes)", valid.bytes(),
                      config.segment_bytes);
  }
  valid.recoded = std::move(recoded);
  return valid;
}

}  // namespace ringlog::storage
