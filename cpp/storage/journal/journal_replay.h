#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/journal/journal_checkpoint.h"
#include "storage/services.h"
#include "storage/sync_group.h"

namespace ringlog::storage {

// What a replay found, by kind.
struct replay_counts {
  std::uint64_t new_logs = 0;
  std::uint64_t batches = 0;
  std::uint64_t log_starts = 0;
  std::uint64_t cuts = 0;
  std::uint64_t removals = 0;
};

// Puts what the journal holds into the segments: every piece of a batch at its place, whatever is
// there already, so that a replay can be repeated. Keeps the checkpoint's table up to date; what
// stands behind a log's end is left for its loader to cut. Nothing is synced: the journal is needed
// until the next checkpoint.
//
// Pieces are gathered and written segment by segment: a journal in which thousands of partitions
// take turns would open a file for each of its batches otherwise. Lives on its caller's stack,
// blocks.
class journal_replay {
 public:
  journal_replay(services outside, std::string log_directory, journal_checkpoint& table)
      : outside_(outside),
        log_directory_(std::move(log_directory)),
        table_(table),
        named_before_(table.next_log),
        written_(outside.disk) {}

  // The entries of the next block. error_code::corrupt for an entry of a log that nothing named.
  status apply(bytes_view entries);
  status apply(const journal_entry& entry);

  // Puts what is gathered where it belongs, so that the segments can be read.
  status write_gathered();

  // Writes the rest. Removes the segments that a log's new start leaves behind; they may have
  // holes.
  status finish();

  const replay_counts& counts() const { return counts_; }

  // Segment files and directories that were written and not synced.
  sync_group written() && { return std::move(written_); }

 private:
  using segment_key = std::pair<std::uint32_t, offset_t>;  // log number, segment base

  // A part of a batch that waits to be written.
  struct piece {
    segment_key where;
    std::int64_t position;
    std::size_t begin;  // in gathered_
    std::size_t size;
  };

  status apply(std::uint32_t number, const journaled_log& named);
  status apply(std::uint32_t number, const journaled_batch& batch);
  status apply(std::uint32_t number, const journaled_log_start& moved);
  status apply(std::uint32_t number, const journaled_cut& cut);
  status apply(std::uint32_t number, const journaled_removal&);

  result<journaled_log*> find(std::uint32_t number);
  // Its directory, made when missing; false when it belongs to another topic id by now.
  result<bool> enter(std::uint32_t number, const journaled_log& log);
  result<bool> has_own_id(const journaled_log& log);
  result<std::unique_ptr<io::file>> open_segment(const segment_key& where);
  status remove_segments_before(journaled_log& log, offset_t first);
  status remove_behind(std::uint32_t number, const journaled_log& log, const journaled_cut& cut);
  std::string directory_of(const journaled_log& log) const;

  services outside_;
  const std::string log_directory_;
  journal_checkpoint& table_;
  const std::uint32_t named_before_;  // the checkpoint: logs below are in its table, or removed
  std::map<std::uint32_t, bool> entered_;  // log number: whether its directory is its own
  std::map<std::uint32_t, offset_t> first_segments_;  // log number: what its last new start left
  std::vector<piece> pieces_;
  byte_buffer gathered_;
  sync_group written_;
  replay_counts counts_;
};

}  // namespace ringlog::storage
