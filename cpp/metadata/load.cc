#include "metadata/load.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "metadata/image_builder.h"
#include "metadata/image_records.h"
#include "metadata/metadata_files.h"
#include "metadata/record_batches.h"

namespace ringlog::metadata {

namespace {

constexpr std::int64_t read_bytes_max = 4 * limits::MiB;

storage::log_config metadata_log_config() {
  storage::log_config config;
  config.cleanup_delete = false;
  config.retention_ms = -1;
  config.retention_bytes = -1;
  config.message_bytes_max = 8 * limits::MiB;  // Kafka: KafkaRaftClient.MAX_BATCH_SIZE_BYTES
  return config;
}

status apply_records(image_builder& builder,
                     const std::vector<protocol::metadata_record>& records) {
  for (const auto& record : records) TRY(builder.apply(record));
  return {};
}

status load_snapshot(const storage::services& outside, const std::string& directory,
                     image_builder& builder, loaded_metadata& loaded) {
  TRY_ASSIGN(const auto newest, find_newest_snapshot(outside.disk, directory));
  if (!newest) return {};
  TRY_ASSIGN(auto content, read_snapshot(outside.disk, directory + "/" + newest->file_name()));
  if (!content) return make_error(error_code::io_error, "{} went away", newest->file_name());
  loaded.snapshot_at = *newest;
  loaded.kraft_version = std::move(content->kraft_version);
  loaded.voters = std::move(content->voters);
  TRY(apply_records(builder, content->records));
  builder.set_position(newest->end_offset, newest->epoch, content->last_timestamp);
  return {};
}

status load_log(image_builder& builder, loaded_metadata& loaded) {
  const storage::log_offsets bounds = loaded.log->offsets();
  offset_t next = loaded.snapshot_at.end_offset;
  if (bounds.log_start > next || bounds.log_end < next) {
    return make_error(error_code::corrupt,
                      "the metadata log has offsets {} to {}, its newest snapshot ends at {}",
                      bounds.log_start, bounds.log_end, next);
  }
  const auto take_control = [&](const model::batch_view&, model::control_type type,
                                bytes_view value) -> status {
    if (type == model::control_type::kraft_version) {
      TRY_ASSIGN(loaded.kraft_version,
                 protocol::decode_message<protocol::kraft_version_record>(value, 0));
    } else if (type == model::control_type::kraft_voters) {
      TRY_ASSIGN(loaded.voters, protocol::decode_message<protocol::voters_record>(value, 0));
    }
    return {};
  };
  while (next < bounds.log_end) {
    TRY_ASSIGN(const storage::log_read read,
               loaded.log->read(next, read_bytes_max, storage::read_bound::log_end));
    const offset_t before = next;
    for (const shared_bytes& batches : read.batches) {
      bytes_view left = batches.bytes;
      while (!left.empty()) {
        TRY_ASSIGN(const auto batch, model::parse_batch(left));
        if (!batch) return make_error(error_code::corrupt, "a batch of metadata is cut off");
        left = left.subspan(batch->size_in_bytes());
        loaded.bytes_read += static_cast<std::int64_t>(batch->size_in_bytes());
        if (batch->last_offset() < next) continue;
        TRY(for_each_record(batch->bytes(), take_control,
                            [&](const model::batch_view&, protocol::metadata_record record) {
                              return builder.apply(record);
                            }));
        next = batch->next_offset();
        builder.set_position(next, batch->partition_leader_epoch(), batch->max_timestamp());
      }
    }
    CHECK(next > before, "reading the metadata log does not go on at offset", next.value());
  }
  return {};
}

}  // namespace

result<loaded_metadata> load_metadata(const storage::services& outside,
                                      storage::log_manager& logs) {
  loaded_metadata loaded;
  TRY_ASSIGN(loaded.log, logs.open_metadata_log(metadata_log_config()));
  const std::string directory = metadata_directory(logs.directory());
  image_builder builder{image{}};
  status read = load_snapshot(outside, directory, builder, loaded);
  if (read.ok()) read = load_log(builder, loaded);
  if (!read.ok()) return std::move(read.failure()).with_context("metadata of " + logs.directory());
  loaded.in_transaction = builder.in_transaction();
  loaded.image = std::move(builder).finish();
  const std::int16_t level = loaded.image->feature_level(metadata_version_feature);
  if (level > metadata_version_max) {
    return make_error(error_code::unsupported,
                      "{}: metadata.version is {}, the newest that this version of ringlog knows "
                      "is {}; a newer Kafka wrote the directory",
                      logs.directory(), level, metadata_version_max);
  }
  return loaded;
}

}  // namespace ringlog::metadata
