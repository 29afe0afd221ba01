#include "metadata/snapshot.h"

#include <charconv>
#include <utility>

#include "base/limits.h"
#include "metadata/record_batches.h"
#include "model/batch_builder.h"
#include "protocol/codec.h"

namespace ringlog::metadata {

namespace {

constexpr std::string_view suffix = ".checkpoint";
constexpr std::size_t offset_digits = 20;
constexpr std::size_t epoch_digits = 10;

std::optional<std::int64_t> parse_digits(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// What the snapshot decoder has seen.
struct progress {
  snapshot content;
  bool has_header = false;
  bool has_footer = false;
};

status take_control(model::control_type type, bytes_view value, progress& seen) {
  switch (type) {
    case model::control_type::snapshot_header: {
      TRY_ASSIGN(const auto header,
                 protocol::decode_message<protocol::snapshot_header_record>(value, 0));
      seen.content.last_timestamp = header.last_contained_log_timestamp;
      seen.has_header = true;
      return {};
    }
    case model::control_type::snapshot_footer:
      seen.has_footer = true;
      return {};
    case model::control_type::kraft_version: {
      TRY_ASSIGN(seen.content.kraft_version,
                 protocol::decode_message<protocol::kraft_version_record>(value, 0));
      return {};
    }
    case model::control_type::kraft_voters: {
      TRY_ASSIGN(seen.content.voters, protocol::decode_message<protocol::voters_record>(value, 0));
      return {};
    }
    default:
      return {};
  }
}

}  // namespace

std::string snapshot_id::file_name() const {
  return fmt::format("{:020}-{:010}{}", end_offset.value(), epoch.value(), suffix);
}

std::optional<snapshot_id> snapshot_id::parse(std::string_view file_name) {
  if (file_name.size() != offset_digits + 1 + epoch_digits + suffix.size() ||
      file_name[offset_digits] != '-' || !file_name.ends_with(suffix)) {
    return std::nullopt;
  }
  const auto offset = parse_digits(file_name.substr(0, offset_digits));
  const auto epoch = parse_digits(file_name.substr(offset_digits + 1, epoch_digits));
  if (!offset || !epoch || *epoch > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return snapshot_id{offset_t(*offset), leader_epoch_t(static_cast<std::int32_t>(*epoch))};
}

result<byte_buffer> encode_snapshot(const snapshot& content, leader_epoch_t epoch,
                                    std::int64_t now) {
  batch_position position{offset_t(0), epoch};
  protocol::snapshot_header_record header;
  header.last_contained_log_timestamp = content.last_timestamp;
  control_batch first(now);
  TRY(first.add(model::control_type::snapshot_header, header));
  if (content.kraft_version) {
    TRY(first.add(model::control_type::kraft_version, *content.kraft_version));
  }
  if (content.voters) TRY(first.add(model::control_type::kraft_voters, *content.voters));
  byte_buffer bytes = std::move(first).finish(position);
  TRY_ASSIGN(const byte_buffer records, encode_batches(content.records, now, position));
  append(bytes, records);
  control_batch last(now);
  TRY(last.add(model::control_type::snapshot_footer, protocol::snapshot_footer_record{}));
  append(bytes, std::move(last).finish(position));
  return bytes;
}

result<snapshot> decode_snapshot(bytes_view bytes) {
  progress seen;
  TRY(for_each_record(
      bytes,
      [&](const model::batch_view&, model::control_type type, bytes_view value) {
        return take_control(type, value, seen);
      },
      [&](const model::batch_view&, protocol::metadata_record record) -> status {
        seen.content.records.push_back(std::move(record));
        return {};
      }));
  if (!seen.has_header || !seen.has_footer) {
    return make_error(error_code::corrupt, "the snapshot is incomplete: it has no {}",
                      seen.has_header ? "footer" : "header");
  }
  return std::move(seen.content);
}

result<std::optional<snapshot>> read_snapshot(io::file_system& disk, const std::string& path) {
  auto bytes = io::read_file(disk, path, limits::metadata_snapshot_bytes_max);
  if (!bytes.ok()) {
    if (bytes.code() == error_code::not_found) return std::optional<snapshot>{};
    return std::move(bytes.failure());
  }
  auto decoded = decode_snapshot(*bytes);
  if (!decoded.ok()) return std::move(decoded.failure()).with_context(path);
  return std::optional<snapshot>(std::move(decoded).value());
}

result<std::optional<snapshot_id>> find_newest_snapshot(io::file_system& disk,
                                                        const std::string& directory) {
  std::optional<snapshot_id> newest;
  TRY_ASSIGN(const bool exists, disk.exists(directory));
  if (!exists) return newest;
  TRY_ASSIGN(const auto entries, disk.list(directory));
  for (const io::directory_entry& entry : entries) {
    const auto id = snapshot_id::parse(entry.name);
    if (id && (!newest || *newest < *id)) newest = id;
  }
  return newest;
}

}  // namespace ringlog::metadata
