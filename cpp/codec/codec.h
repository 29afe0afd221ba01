#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/compression_type.h"
#include "base/result.h"

// Compression of a batch's records section, in the stream forms that Kafka's clients write and
// read (Kafka: org.apache.kafka.common.compress). One table; a codec is one file behind it.
namespace ringlog::codec {

// What one codec can do. The functions are callable from any thread; they keep their contexts per
// thread. `target` is appended to.
struct codec_table_entry {
  std::string_view name;  // as in compression.type
  int level_default;
  int level_min;
  int level_max;
  status (*compress)(bytes_view source, int level, byte_buffer& target);
  // Fails with error_code::corrupt for damaged input or when more than `bytes_max` would come out.
  status (*decompress)(bytes_view source, std::size_t bytes_max, byte_buffer& target);
};

// None for a type that Kafka does not know, and for compression_type::none.
const codec_table_entry* find_codec(compression_type type);
const codec_table_entry* find_codec(std::string_view name);

// The type of that name; "none" and "uncompressed" are compression_type::none.
result<compression_type> parse_compression_type(std::string_view name);
std::string_view name_of(compression_type type);

// How much may come out of that many compressed bytes: limits::decompressed_batch_bytes_max, and
// for a small input limits::decompression_ratio_max times its size.
std::size_t decompressed_bytes_max(std::size_t compressed_bytes);

// Compresses at the codec's own default level, or at `level` (clamped to the codec's range).
result<byte_buffer> compress(compression_type type, bytes_view source);
result<byte_buffer> compress(compression_type type, bytes_view source, int level);

// The original bytes. error_code::corrupt when the input is damaged or expands beyond the limit,
// error_code::unsupported_compression for a type that is none of Kafka's.
result<byte_buffer> decompress(compression_type type, bytes_view source);

}  // namespace ringlog::codec
