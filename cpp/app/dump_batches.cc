#include "app/dump_batches.h"

#include "codec/codec.h"
#include "model/record.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace ringlog::app {

namespace {

using fields = entry_writer::fields;

std::string_view name_of(timestamp_type type) {
  return type == timestamp_type::create_time ? "CreateTime" : "LogAppendTime";
}

fields fields_of(const model::batch_view& batch, std::int64_t position, dump_format format) {
  fields horizon = nullptr;
  if (const auto at = batch.delete_horizon_ms()) {
    horizon =
        format == dump_format::json ? fields(*at) : fields(fmt::format("OptionalLong[{}]", *at));
  }
  const bool valid = model::validate(batch, model::validation_level::checksum).ok();
  fields values{{"baseOffset", batch.base_offset().value()},
                {"lastOffset", batch.last_offset().value()},
                {"count", batch.count()},
                {"baseSequence", batch.base_sequence()},
                {"lastSequence", batch.last_sequence()},
                {"producerId", batch.producer_id().value()},
                {"producerEpoch", batch.producer_epoch().value()},
                {"partitionLeaderEpoch", batch.partition_leader_epoch().value()},
                {"isTransactional", batch.is_transactional()},
                {"isControl", batch.is_control()},
                {"deleteHorizonMs", horizon},
                {"position", position}};
  values[std::string(name_of(batch.timestamps()))] = batch.max_timestamp();
  values.update({{"size", batch.bytes().size()},
                 {"magic", batch.magic()},
                 {"compresscodec", codec::name_of(batch.compression())},
                 {"crc", batch.stored_crc()},
                 {"isvalid", valid}});
  return values;
}

void add_control(const model::record_view& record, fields& values) {
  const auto key = model::parse_control_key(record.key);
  if (!key.ok()) return;
  switch (key->type) {
    case model::control_type::abort:
      values["endTxnMarker"] = "ABORT";
      break;
    case model::control_type::commit:
      values["endTxnMarker"] = "COMMIT";
      break;
    default:
      values["controlType"] = static_cast<int>(key->type);
  }
}

status dump_records(const model::batch_view& batch, entry_writer& target) {
  byte_buffer unpacked;
  bytes_view plain = batch.records();
  if (batch.compression() != compression_type::none) {
    TRY_ASSIGN(unpacked, codec::decompress(batch.compression(), plain));
    plain = unpacked;
  }
  model::record_iterator records(batch, plain);
  for (model::record_view record; records.next(record);) {
    const auto size = [](const std::optional<bytes_view>& field) {
      return field ? static_cast<std::int64_t>(field->size()) : -1;
    };
    fields values{{"offset", record.offset.value()}};
    values[std::string(name_of(batch.timestamps()))] = record.timestamp;
    const auto delta = static_cast<std::int32_t>(record.offset - batch.base_offset());
    values.update({{"keySize", size(record.key)},
                   {"valueSize", size(record.value)},
                   {"sequence", batch.base_sequence() == no_sequence
                                    ? no_sequence
                                    : model::increment_sequence(batch.base_sequence(), delta)}});
    fields names = fields::array();
    auto headers = record.headers();
    for (model::record_header_view header; headers.next(header);) names.push_back(header.key);
    TRY(headers.outcome());
    values["headerKeys"] = std::move(names);
    if (batch.is_control()) {
      add_control(record, values);
    } else {
      if (record.key) values["key"] = to_string(*record.key);
      if (record.value) values["payload"] = to_string(*record.value);
    }
    target.entry("record", values, "| ");
  }
  return records.outcome();
}

}  // namespace

status dump_batches(io::file_system& disk, const std::string& path, bool records,
                    entry_writer& target) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const auto base = storage::offset_of_file(name);
  if (base && name.ends_with(storage::suffixes::log)) {
    target.note(fmt::format("Log starting offset: {}", *base));
  }
  TRY_ASSIGN(const auto file, disk.open(path, io::open_mode::read));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  const auto end = static_cast<std::int64_t>(size);
  storage::batch_scanner scanner(*file, 0, end);
  while (true) {
    const std::int64_t position = scanner.position();
    auto batch = scanner.next();
    if (batch.ok() && *batch) {
      target.entry("batch", fields_of(**batch, position, target.format()));
      if (records) TRY(dump_records(**batch, target));
      continue;
    }
    if (position < end) {
      target.note(fmt::format("Found {} invalid bytes at the end of {}", end - position, name));
    }
    if (!batch.ok()) return std::move(batch.failure()).with_context(path);
    return {};
  }
}

}  // namespace ringlog::app
