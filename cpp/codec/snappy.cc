#include <snappy.h>

#include "base/endian.h"
#include "codec/codecs.h"

// Snappy blocks in the framing of the Java library (xerial snappy-java: SnappyOutputStream), which
// is what Kafka's snappy means:
//
//   magic 82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | version i32 = 1 | compatible_version i32 = 1 |
//   { block_bytes i32 | snappy block }
//
// A further header may stand where a block's size would be (appended streams). Input without the
// magic is one plain snappy block, which old clients of other languages wrote.
namespace ringlog::codec {
namespace {

constexpr std::string_view magic("\x82SNAPPY\0", 8);
constexpr std::size_t header_bytes = 16;
constexpr std::int32_t version = 1;
constexpr std::size_t block_bytes = 32 * 1024;  // of input: snappy-java's default

const char* as_chars(const std::byte* bytes) { return reinterpret_cast<const char*>(bytes); }

status compress(bytes_view source, int, byte_buffer& target) {
  std::byte header[header_bytes];
  std::memcpy(header, magic.data(), magic.size());
  store_be(header + 8, version);
  store_be(header + 12, version);
  append(target, header);
  for (std::size_t at = 0; at < source.size(); at += block_bytes) {
    const bytes_view block = source.subspan(at, std::min(block_bytes, source.size() - at));
    const std::size_t begin = target.size();
    target.resize(begin + sizeof(std::int32_t) + snappy::MaxCompressedLength(block.size()));
    std::size_t written = 0;
    snappy::RawCompress(as_chars(block.data()), block.size(),
                        reinterpret_cast<char*>(target.data() + begin + sizeof(std::int32_t)),
                        &written);
    store_be(target.data() + begin, static_cast<std::int32_t>(written));
    target.resize(begin + sizeof(std::int32_t) + written);
  }
  return {};
}

// Appends what one block holds; `bytes_left` is how much may still come out.
status decompress_block(bytes_view block, std::size_t& bytes_left, byte_buffer& target) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(as_chars(block.data()), block.size(), &size)) {
    return damaged("snappy", "a block has no size");
  }
  if (size > bytes_left) return too_large("snappy", block.size(), bytes_left);
  const std::size_t begin = target.size();
  target.resize(begin + size);
  if (!snappy::RawUncompress(as_chars(block.data()), block.size(),
                             reinterpret_cast<char*>(target.data() + begin))) {
    target.resize(begin);
    return damaged("snappy", "a block does not decompress");
  }
  bytes_left -= size;
  return {};
}

bool starts_with_magic(bytes_view source) { return as_text(source).starts_with(magic); }

status decompress(bytes_view source, std::size_t bytes_max, byte_buffer& target) {
  std::size_t bytes_left = bytes_max;
  if (!starts_with_magic(source)) return decompress_block(source, bytes_left, target);
  while (!source.empty()) {
    if (starts_with_magic(source)) {
      if (source.size() < header_bytes) return damaged("snappy", "the header ends early");
      const auto compatible = load_be<std::int32_t>(source.data() + 12);
      if (compatible > version) return damaged("snappy", "a newer framing than version 1");
      source = source.subspan(header_bytes);
      continue;
    }
    if (source.size() < sizeof(std::int32_t)) return damaged("snappy", "a block size ends early");
    const auto size = load_be<std::int32_t>(source.data());
    source = source.subspan(sizeof(std::int32_t));
    if (size < 0 || static_cast<std::size_t>(size) > source.size()) {
      return damaged("snappy", "a block ends early");
    }
    TRY(decompress_block(source.first(static_cast<std::size_t>(size)), bytes_left, target));
    source = source.subspan(static_cast<std::size_t>(size));
  }
  return {};
}

}  // namespace

const codec_table_entry snappy_codec = {"snappy", 0, 0, 0, compress, decompress};

}  // namespace ringlog::codec
