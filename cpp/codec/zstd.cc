#include <zstd.h>

#include "codec/codecs.h"

// Zstandard frames (RFC 8878), one or more.
namespace ringlog::codec {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr int level_default = 3;
constexpr int level_min = -131072;
constexpr int level_max = 22;

struct compressor {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  compressor() = default;
  ~compressor() { ZSTD_freeCCtx(context); }
  compressor(const compressor&) = delete;
  compressor& operator=(const compressor&) = delete;
};

struct decompressor {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  decompressor() = default;
  ~decompressor() { ZSTD_freeDCtx(context); }
  decompressor(const decompressor&) = delete;
  decompressor& operator=(const decompressor&) = delete;
};

error no_memory() { return error{error_code::no_memory, "zstd found no memory for its context"}; }

status compress(bytes_view source, int level, byte_buffer& target) {
  thread_local compressor kept;
  if (kept.context == nullptr) return no_memory();
  const std::size_t begin = target.size();
  target.resize(begin + ZSTD_compressBound(source.size()));
  const std::size_t written =
      ZSTD_compressCCtx(kept.context, target.data() + begin, target.size() - begin, source.data(),
                        source.size(), level);
  if (ZSTD_isError(written) != 0) {  // within its own bound only memory can fail
    target.resize(begin);
    return no_memory();
  }
  target.resize(begin + written);
  return {};
}

status decompress(bytes_view source, std::size_t bytes_max, byte_buffer& target) {
  thread_local decompressor kept;
  if (kept.context == nullptr) return no_memory();
  ZSTD_DCtx_reset(kept.context, ZSTD_reset_session_only);
  bounded_output output(target, bytes_max);
  ZSTD_inBuffer input{source.data(), source.size(), 0};
  for (;;) {
    const mutable_bytes room = output.room(piece_bytes);
    if (room.empty()) return too_large("zstd", source.size(), bytes_max);
    ZSTD_outBuffer piece{room.data(), room.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(kept.context, &piece, &input);
    if (ZSTD_isError(hint) != 0) return damaged("zstd", ZSTD_getErrorName(hint));
    output.advance(piece.pos);
    if (hint == 0 && input.pos == input.size) return {};
    if (input.pos == input.size && piece.pos < piece.size) return damaged("zstd", "they end early");
  }
}

}  // namespace

const codec_table_entry zstd_codec = {"zstd",    level_default, level_min,
                                      level_max, compress,      decompress};

}  // namespace ringlog::codec
