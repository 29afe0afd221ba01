#include "storage/check/segment_scan.h"

#include <algorithm>

#include "base/limits.h"
#include "storage/batch_scanner.h"

namespace ringlog::storage {

namespace {

constexpr std::int64_t piece_bytes = 1 * limits::MiB;
constexpr std::size_t header_bytes = model::batch_header_bytes;

bool says_no_batch(error_code code) {
  return code == error_code::corrupt || code == error_code::unsupported;
}

}  // namespace

status segment_scan::run(const batch_taker& on_batch, const damage_taker& on_damage) {
  next_ = range_.base;
  std::optional<batch_scanner> scanner(std::in_place, log_, 0, range_.bytes);
  while (scanner->position() < range_.bytes) {
    const std::int64_t position = scanner->position();
    const auto batch = scanner->next();
    if (!batch.ok() && !says_no_batch(batch.code())) return batch.failure();
    damaged_range hole{.begin = position, .next_expected = next_};
    if (batch.ok() && *batch) {
      const status good = check(**batch);
      if (good.ok()) {
        on_batch(**batch, position);
        next_ = (*batch)->next_offset();
        continue;
      }
      hole.reason = good.failure().message;
    } else {
      hole.reason = batch.ok() ? "the file ends inside of a batch" : batch.failure().message;
    }
    const bool cut_short = batch.ok() && !*batch;
    TRY_ASSIGN(hole.end, find_batch(position + 1));
    scanner.emplace(log_, hole.end, range_.bytes);
    if (hole.end < range_.bytes) {
      batch_scanner ahead(log_, hole.end, range_.bytes);
      TRY_ASSIGN(const auto found, ahead.next());
      hole.resumes = found->base_offset();
    } else {
      TRY_ASSIGN(const bool zeros, is_zero(position));
      if (zeros) hole.reason = "zeros follow the last batch";
      hole.torn = zeros || cut_short;
    }
    on_damage(hole);
  }
  return {};
}

// The batch stands whole at its place.
status segment_scan::check(const model::batch_view& batch) const {
  TRY(model::validate(batch, model::validation_level::checksum));
  if (batch.base_offset() < next_) {
    return make_error(error_code::corrupt, "offsets {} to {} follow offset {}", batch.base_offset(),
                      batch.last_offset(), next_ - 1);
  }
  if (batch.last_offset() >= range_.limit || batch.last_offset() - range_.base > INT32_MAX) {
    return make_error(error_code::corrupt, "offsets {} to {} do not belong to this segment",
                      batch.base_offset(), batch.last_offset());
  }
  return {};
}

bool segment_scan::may_start_batch(bytes_view bytes, std::int64_t position) const {
  if (bytes[model::batch_layout::magic] != std::byte{model::current_magic}) return false;
  const model::batch_header_view header(bytes);
  return header.base_offset() >= next_ && header.base_offset() < range_.limit &&
         header.size_in_bytes() >= header_bytes &&
         static_cast<std::int64_t>(header.size_in_bytes()) <= range_.bytes - position;
}

result<bool> segment_scan::is_batch(std::int64_t position) const {
  batch_scanner scanner(log_, position, range_.bytes);
  const auto batch = scanner.next();
  if (!batch.ok() && !says_no_batch(batch.code())) return batch.failure();
  return batch.ok() && *batch && check(**batch).ok();
}

// The first position from there on where a good batch stands, the file's end without one.
result<std::int64_t> segment_scan::find_batch(std::int64_t from) const {
  byte_buffer piece(static_cast<std::size_t>(piece_bytes));
  while (range_.bytes - from >= static_cast<std::int64_t>(header_bytes)) {
    TRY_ASSIGN(const std::size_t got, log_.read_at(static_cast<std::uint64_t>(from), piece));
    if (got < header_bytes) break;
    const std::size_t starts = got - header_bytes + 1;
    for (std::size_t at = 0; at < starts; ++at) {
      const std::int64_t position = from + static_cast<std::int64_t>(at);
      if (!may_start_batch(bytes_view(piece).subspan(at, header_bytes), position)) continue;
      TRY_ASSIGN(const bool good, is_batch(position));
      if (good) return position;
    }
    from += static_cast<std::int64_t>(starts);
  }
  return range_.bytes;
}

result<bool> segment_scan::is_zero(std::int64_t from) const {
  byte_buffer piece(static_cast<std::size_t>(piece_bytes));
  while (from < range_.bytes) {
    TRY_ASSIGN(const std::size_t got, log_.read_at(static_cast<std::uint64_t>(from), piece));
    if (got == 0) break;
    const bytes_view read = bytes_view(piece).first(got);
    if (!std::all_of(read.begin(), read.end(), [](std::byte b) { return b == std::byte{0}; })) {
      return false;
    }
    from += static_cast<std::int64_t>(got);
  }
  return true;
}

}  // namespace ringlog::storage
