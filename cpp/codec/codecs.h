#pragma once

#include "codec/codec.h"

// The files behind the table.
namespace ringlog::codec {

extern const codec_table_entry gzip_codec;
extern const codec_table_entry snappy_codec;
extern const codec_table_entry lz4_codec;
extern const codec_table_entry zstd_codec;

// The output of a streaming decompressor: room is made piece by piece, up to a byte beyond a bound,
// so that a stream that ends right at it is seen to end.
class bounded_output {
 public:
  bounded_output(byte_buffer& target, std::size_t bytes_max)
      : target_(target), used_(target.size()), end_max_(target.size() + bytes_max + 1) {}
  ~bounded_output() { target_.resize(used_); }
  bounded_output(const bounded_output&) = delete;
  bounded_output& operator=(const bounded_output&) = delete;

  // Room to write into; empty when the bound is reached.
  mutable_bytes room(std::size_t wanted) {
    if (target_.size() == used_) {
      target_.resize(std::min(end_max_, std::max(used_ + wanted, 2 * used_)));
    }
    return mutable_bytes(target_).subspan(used_);
  }
  void advance(std::size_t written) { used_ += written; }

 private:
  byte_buffer& target_;
  std::size_t used_;
  std::size_t end_max_;
};

inline error damaged(std::string_view codec, std::string_view what) {
  return make_error(error_code::corrupt, "compressed records ({}) are damaged: {}", codec, what);
}

inline error too_large(std::string_view codec, std::size_t compressed, std::size_t bytes_max) {
  return make_error(error_code::corrupt,
                    "{} bytes of compressed records ({}) expand to more than {} bytes, which no "
                    "batch may",
                    compressed, codec, bytes_max);
}

}  // namespace ringlog::codec
