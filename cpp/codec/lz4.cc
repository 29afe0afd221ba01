#include <lz4frame.h>

#include <algorithm>

#include "codec/codecs.h"

// LZ4 frames (lz4_Frame_format.md). Written as Kafka's Lz4BlockOutputStream does: independent
// blocks of 64 KiB, no checksums beside the header's. Any valid frame is read.
namespace ringlog::codec {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
// Kafka's levels are lz4-java's, where the default stands for the fast compressor and the others
// for the thorough one.
constexpr int level_of_fast = 9;
constexpr int thorough_level_min = 3;   // LZ4HC_CLEVEL_MIN
constexpr int thorough_level_max = 12;  // LZ4HC_CLEVEL_MAX

struct decompressor {
  LZ4F_dctx* context = nullptr;
  decompressor() { LZ4F_createDecompressionContext(&context, LZ4F_VERSION); }
  ~decompressor() { LZ4F_freeDecompressionContext(context); }
  decompressor(const decompressor&) = delete;
  decompressor& operator=(const decompressor&) = delete;
};

struct compressor {
  LZ4F_cctx* context = nullptr;
  compressor() { LZ4F_createCompressionContext(&context, LZ4F_VERSION); }
  ~compressor() { LZ4F_freeCompressionContext(context); }
  compressor(const compressor&) = delete;
  compressor& operator=(const compressor&) = delete;
};

error no_memory() { return error{error_code::no_memory, "lz4 found no memory for its context"}; }

status compress(bytes_view source, int level, byte_buffer& target) {
  thread_local compressor kept;
  if (kept.context == nullptr) return no_memory();
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.compressionLevel =
      level == level_of_fast ? 0 : std::clamp(level, thorough_level_min, thorough_level_max);
  const std::size_t begin = target.size();
  const std::size_t bound = LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(source.size(), &preferences);
  target.resize(begin + bound);
  std::byte* cursor = target.data() + begin;
  const std::byte* end = cursor + bound;
  const auto room = [&] { return static_cast<std::size_t>(end - cursor); };
  const auto advance = [&](std::size_t written) {
    CHECK(LZ4F_isError(written) == 0, "lz4 within its own bound:", LZ4F_getErrorName(written));
    cursor += written;
  };
  advance(LZ4F_compressBegin(kept.context, cursor, room(), &preferences));
  advance(LZ4F_compressUpdate(kept.context, cursor, room(), source.data(), source.size(), nullptr));
  advance(LZ4F_compressEnd(kept.context, cursor, room(), nullptr));
  target.resize(static_cast<std::size_t>(cursor - target.data()));
  return {};
}

status decompress(bytes_view source, std::size_t bytes_max, byte_buffer& target) {
  thread_local decompressor kept;
  if (kept.context == nullptr) return no_memory();
  LZ4F_resetDecompressionContext(kept.context);
  bounded_output output(target, bytes_max);
  const bytes_view whole = source;
  for (;;) {
    const mutable_bytes room = output.room(piece_bytes);
    if (room.empty()) return too_large("lz4", whole.size(), bytes_max);
    std::size_t written = room.size();
    std::size_t consumed = source.size();
    const std::size_t hint =
        LZ4F_decompress(kept.context, room.data(), &written, source.data(), &consumed, nullptr);
    if (LZ4F_isError(hint) != 0) return damaged("lz4", LZ4F_getErrorName(hint));
    output.advance(written);
    source = source.subspan(consumed);
    if (hint == 0) {
      if (!source.empty()) return damaged("lz4", "bytes follow the end of the frame");
      return {};
    }
    if (source.empty() && written == 0) return damaged("lz4", "they end early");
  }
}

}  // namespace

const codec_table_entry lz4_codec = {"lz4", level_of_fast, 1, 17, compress, decompress};

}  // namespace ringlog::codec
