#include "storage/journal/journal_format.h"

#include "base/crc32c.h"
#include "storage/journal/fields.h"

namespace ringlog::storage {

namespace jf = journal_format;

journal_identity journal_identity::of(const uuid& directory_id, std::string_view cluster_id) {
  return {directory_id, crc32c(as_bytes(cluster_id))};
}

// ---- blocks

void seal_block(mutable_bytes block, const block_header& header) {
  CHECK(block.size() == header.bytes, "a block's header and its size differ", header.bytes);
  std::byte* at = block.data();
  std::memset(at, 0, jf::header_bytes);
  store_be(at + jf::magic_at, jf::magic);
  store_be(at + jf::version_at, jf::version);
  store_be(at + jf::bytes_at, header.bytes);
  store_be(at + jf::entries_at, header.entries);
  store_be(at + jf::epoch_at, header.epoch);
  store_be(at + jf::sequence_at, header.sequence);
  store_be(at + jf::durable_sequence_at, header.durable_sequence);
  std::memcpy(at + jf::directory_id_at, header.identity.directory_id.bytes.data(), sizeof(uuid));
  store_be(at + jf::cluster_checksum_at, header.identity.cluster_checksum);
  store_be(at + jf::checksum_at, crc32c(bytes_view(block).subspan(jf::checksummed_from)));
}

bool has_right_checksum(bytes_view block) {
  return load_be<std::uint32_t>(block.data() + jf::checksum_at) ==
         crc32c(block.subspan(jf::checksummed_from));
}

result<std::optional<block_header>> read_block_header(bytes_view bytes,
                                                      const journal_identity& identity) {
  const std::optional<block_header> none;
  if (bytes.size() < jf::header_bytes) return none;
  const std::byte* at = bytes.data();
  if (load_be<std::uint64_t>(at + jf::magic_at) != jf::magic) return none;
  block_header header;
  std::memcpy(header.identity.directory_id.bytes.data(), at + jf::directory_id_at, sizeof(uuid));
  header.identity.cluster_checksum = load_be<std::uint32_t>(at + jf::cluster_checksum_at);
  if (header.identity != identity) return none;
  header.bytes = load_be<std::uint32_t>(at + jf::bytes_at);
  header.entries = load_be<std::uint32_t>(at + jf::entries_at);
  header.epoch = load_be<std::uint64_t>(at + jf::epoch_at);
  header.sequence = load_be<std::uint64_t>(at + jf::sequence_at);
  header.durable_sequence = load_be<std::uint64_t>(at + jf::durable_sequence_at);
  const bool possible = header.bytes >= jf::header_bytes &&
                        header.bytes <= limits::journal_block_bytes_max &&
                        header.durable_sequence < header.sequence;
  if (!possible) return none;
  const auto version = load_be<std::uint16_t>(at + jf::version_at);
  const auto features = load_be<std::uint32_t>(at + jf::incompatible_features_at);
  if (version != jf::version || (features & ~jf::known_incompatible_features) != 0) {
    return make_error(error_code::unsupported,
                      "the journal was written by a newer ringlog (format version {}, features "
                      "{:#x}); open the directory with that one",
                      version, features);
  }
  return std::optional(header);
}

// ---- entries

namespace {

constexpr std::size_t log_start_fields_bytes = 16;
constexpr std::size_t cut_fields_bytes = 24;

template <typename... Cases>
struct overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
overloaded(Cases...) -> overloaded<Cases...>;  // clang 16 cannot do without

struct entry_shape {
  journal_entry_kind kind;
  std::size_t bytes_min;  // without the prefix
  bool has_rest;          // bytes of any number follow
};

constexpr entry_shape shapes[] = {{journal_entry_kind::log, journaled_log_bytes, true},
                                  {journal_entry_kind::batch, jf::batch_fields_bytes, true},
                                  {journal_entry_kind::log_start, log_start_fields_bytes, false},
                                  {journal_entry_kind::cut, cut_fields_bytes, false},
                                  {journal_entry_kind::removed, 0, false}};

const entry_shape* shape_of(std::uint8_t kind) {
  for (const entry_shape& shape : shapes) {
    if (static_cast<std::uint8_t>(shape.kind) == kind) return &shape;
  }
  return nullptr;
}

journal_entry_kind kind_of(const journal_entry& entry) { return shapes[entry.what.index()].kind; }

}  // namespace

std::size_t encoded_bytes(const journal_entry& entry) {
  const std::size_t variable =
      std::visit(overloaded{[](const journaled_log& log) { return log.name.topic.size(); },
                            [](const journaled_batch& batch) { return batch.bytes.size(); },
                            [](const auto&) { return std::size_t{0}; }},
                 entry.what);
  return jf::entry_prefix_bytes + shapes[entry.what.index()].bytes_min + variable;
}

std::size_t encode_entry(mutable_bytes target, const journal_entry& entry) {
  const std::size_t bytes = encoded_bytes(entry);
  CHECK(bytes <= target.size(), "an entry does not fit its block", bytes, target.size());
  const auto* batch = std::get_if<journaled_batch>(&entry.what);
  field_writer out(target.data());
  out.put(static_cast<std::uint8_t>(kind_of(entry)));
  out.put(batch != nullptr && batch->more_follows ? jf::flag_more_follows : std::uint8_t{0});
  out.put(std::uint16_t{0});
  out.put(static_cast<std::uint32_t>(bytes));
  out.put(entry.log);
  std::visit(overloaded{[&](const journaled_log& log) {
                          put_log(out, log);
                          out.put(as_bytes(log.name.topic));
                        },
                        [&](const journaled_batch& piece) {
                          out.put(piece.base);
                          out.put(piece.end);
                          out.put(piece.segment_base);
                          out.put(piece.position);
                          out.put(piece.bytes);
                        },
                        [&](const journaled_log_start& moved) {
                          out.put(moved.start);
                          out.put(moved.first_segment);
                        },
                        [&](const journaled_cut& cut) {
                          out.put(cut.end);
                          out.put(cut.segment_base);
                          out.put(cut.position);
                        },
                        [&](const journaled_removal&) {}},
             entry.what);
  CHECK(out.written() == bytes, "an entry is as long as it says", out.written(), bytes);
  return bytes;
}

result<journal_entry> decode_entry(bytes_view& bytes) {
  const auto damaged = [](std::string_view why) {
    return make_error(error_code::corrupt, "a journal entry {}", why);
  };
  if (bytes.size() < jf::entry_prefix_bytes) return damaged("is cut short");
  const auto size = load_be<std::uint32_t>(bytes.data() + 4);
  const entry_shape* shape = shape_of(std::to_integer<std::uint8_t>(bytes[0]));
  if (shape == nullptr) return damaged("is of an unknown kind");
  const std::size_t fixed = jf::entry_prefix_bytes + shape->bytes_min;
  if (size < fixed || size > bytes.size() || (size > fixed && !shape->has_rest)) {
    return damaged("has an impossible size");
  }
  field_reader in(bytes.first(size));
  bytes = bytes.subspan(size);
  in.take<std::uint8_t>();
  const auto flags = in.take<std::uint8_t>();
  in.take<std::uint16_t>();
  in.take<std::uint32_t>();
  const auto number = in.take<std::uint32_t>();
  switch (shape->kind) {
    case journal_entry_kind::log: {
      journaled_log log = take_log(in);
      log.name.topic = to_string(in.rest());
      return journal_entry{number, std::move(log)};
    }
    case journal_entry_kind::batch: {
      journaled_batch piece;
      piece.base = in.take_offset();
      piece.end = in.take_offset();
      piece.segment_base = in.take_offset();
      piece.position = in.take<std::int64_t>();
      piece.bytes = in.rest();
      piece.more_follows = (flags & jf::flag_more_follows) != 0;
      if (piece.position < 0 || piece.segment_base > piece.base || piece.base >= piece.end) {
        return damaged("names an impossible place");
      }
      return journal_entry{number, piece};
    }
    case journal_entry_kind::log_start: {
      journaled_log_start moved;
      moved.start = in.take_offset();
      moved.first_segment = in.take_offset();
      return journal_entry{number, moved};
    }
    case journal_entry_kind::cut: {
      journaled_cut cut;
      cut.end = in.take_offset();
      cut.segment_base = in.take_offset();
      cut.position = in.take<std::int64_t>();
      return journal_entry{number, cut};
    }
    case journal_entry_kind::removed:
      return journal_entry{number, journaled_removal{}};
  }
  return damaged("is of an unknown kind");
}

}  // namespace ringlog::storage
