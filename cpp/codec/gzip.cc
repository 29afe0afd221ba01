#include <zlib.h>

#include <limits>

#include "codec/codecs.h"

// gzip members (RFC 1952), one or more, as java.util.zip.GZIPInputStream reads them.
namespace ringlog::codec {
namespace {

constexpr int window_bits_of_gzip = 15 + 16;  // 16: a gzip header, not zlib's
constexpr int memory_level = 8;
constexpr std::size_t piece_bytes = 64 * 1024;

// A deflate stream of one level, and an inflate stream, reused by the thread.
struct deflater {
  z_stream stream{};
  int level;
  bool ready;
  explicit deflater(int wanted_level) : level(wanted_level) {
    ready = deflateInit2(&stream, level, Z_DEFLATED, window_bits_of_gzip, memory_level,
                         Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~deflater() { deflateEnd(&stream); }
  deflater(const deflater&) = delete;
  deflater& operator=(const deflater&) = delete;
};

struct inflater {
  z_stream stream{};
  bool ready;
  inflater() { ready = inflateInit2(&stream, window_bits_of_gzip) == Z_OK; }
  ~inflater() { inflateEnd(&stream); }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
};

Bytef* as_zlib(const std::byte* bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes));
}

error no_memory() { return error{error_code::no_memory, "zlib found no memory for its tables"}; }

status compress(bytes_view source, int level, byte_buffer& target) {
  thread_local std::optional<deflater> kept;
  if (!kept || kept->level != level) kept.emplace(level);
  if (!kept->ready || deflateReset(&kept->stream) != Z_OK) return no_memory();
  z_stream& stream = kept->stream;
  CHECK(source.size() < std::numeric_limits<uInt>::max() / 2, "a batch is smaller", source.size());
  const std::size_t begin = target.size();
  const std::size_t bound = deflateBound(&stream, static_cast<uLong>(source.size()));
  target.resize(begin + bound);
  stream.next_in = as_zlib(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  stream.next_out = as_zlib(target.data() + begin);
  stream.avail_out = static_cast<uInt>(bound);
  const int outcome = deflate(&stream, Z_FINISH);
  CHECK(outcome == Z_STREAM_END, "deflateBound is an upper bound", outcome);
  target.resize(begin + stream.total_out);
  return {};
}

status decompress(bytes_view source, std::size_t bytes_max, byte_buffer& target) {
  thread_local inflater kept;
  if (!kept.ready || inflateReset(&kept.stream) != Z_OK) return no_memory();
  CHECK(source.size() < std::numeric_limits<uInt>::max() / 2, "a batch is smaller", source.size());
  z_stream& stream = kept.stream;
  stream.next_in = as_zlib(source.data());
  stream.avail_in = static_cast<uInt>(source.size());
  bounded_output output(target, bytes_max);
  for (;;) {
    const mutable_bytes room = output.room(piece_bytes);
    if (room.empty()) return too_large("gzip", source.size(), bytes_max);
    const auto offered = static_cast<uInt>(std::min<std::size_t>(room.size(), 1U << 30));
    stream.next_out = as_zlib(room.data());
    stream.avail_out = offered;
    const int outcome = inflate(&stream, Z_NO_FLUSH);
    output.advance(offered - stream.avail_out);
    if (outcome == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      if (inflateReset(&stream) != Z_OK) return no_memory();  // a further member
    } else if (outcome == Z_MEM_ERROR) {
      return no_memory();
    } else if (outcome == Z_BUF_ERROR ||
               (outcome == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)) {
      return damaged("gzip", "they end early");
    } else if (outcome != Z_OK) {
      return damaged("gzip", stream.msg != nullptr ? stream.msg : "no gzip data");
    }
  }
}

}  // namespace

const codec_table_entry gzip_codec = {
    "gzip", Z_DEFAULT_COMPRESSION, Z_DEFAULT_COMPRESSION, Z_BEST_COMPRESSION, compress, decompress};

}  // namespace ringlog::codec
