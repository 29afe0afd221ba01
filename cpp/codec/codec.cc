#include "codec/codec.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "codec/codecs.h"

namespace ringlog::codec {
namespace {

const std::array<const codec_table_entry*, 5> table = {nullptr, &gzip_codec, &snappy_codec,
                                                       &lz4_codec, &zstd_codec};

error unknown(compression_type type) {
  return make_error(error_code::unsupported_compression, "compression type {} is unknown",
                    static_cast<int>(type));
}

}  // namespace

const codec_table_entry* find_codec(compression_type type) {
  const auto index = static_cast<std::size_t>(type);
  return index < table.size() ? table[index] : nullptr;
}

const codec_table_entry* find_codec(std::string_view name) {
  for (const codec_table_entry* codec : table) {
    if (codec != nullptr && codec->name == name) return codec;
  }
  return nullptr;
}

result<compression_type> parse_compression_type(std::string_view name) {
  if (name == "none" || name == "uncompressed") return compression_type::none;
  const auto* const found = std::find(table.begin() + 1, table.end(), find_codec(name));
  if (found == table.end()) {
    return make_error(error_code::unsupported_compression,
                      "'{}' is no compression type: use none, gzip, snappy, lz4 or zstd", name);
  }
  return static_cast<compression_type>(found - table.begin());
}

std::string_view name_of(compression_type type) {
  if (type == compression_type::none) return "none";
  const codec_table_entry* codec = find_codec(type);
  return codec != nullptr ? codec->name : "unknown";
}

std::size_t decompressed_bytes_max(std::size_t compressed_bytes) {
  const auto ratio = static_cast<std::size_t>(limits::decompression_ratio_max);
  const auto least = static_cast<std::size_t>(limits::decompressed_bytes_of_any_ratio);
  const auto most = static_cast<std::size_t>(limits::decompressed_batch_bytes_max);
  if (compressed_bytes >= most / ratio) return most;
  return std::max(least, compressed_bytes * ratio);
}

result<byte_buffer> compress(compression_type type, bytes_view source) {
  const codec_table_entry* codec = find_codec(type);
  return compress(type, source, codec != nullptr ? codec->level_default : 0);
}

result<byte_buffer> compress(compression_type type, bytes_view source, int level) {
  if (type == compression_type::none) return to_buffer(source);
  const codec_table_entry* codec = find_codec(type);
  if (codec == nullptr) return unknown(type);
  byte_buffer target;
  TRY(codec->compress(source, std::clamp(level, codec->level_min, codec->level_max), target));
  return target;
}

result<byte_buffer> decompress(compression_type type, bytes_view source) {
  if (type == compression_type::none) return to_buffer(source);
  const codec_table_entry* codec = find_codec(type);
  if (codec == nullptr) return unknown(type);
  byte_buffer target;
  TRY(codec->decompress(source, decompressed_bytes_max(source.size()), target));
  return target;
}

}  // namespace ringlog::codec
