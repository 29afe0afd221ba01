#pragma once

#include <map>
#include <set>

#include "storage/journal/journal_damage.h"
#include "storage/journal/journal_replay.h"

namespace ringlog::storage {

// Takes from the blocks behind lost ones what can be proven: of each log the batches that go on
// without a gap where it ended. A gap is filled where the segment has the very batches that are
// missing, checksums and all: batches are stored there after they became durable. What comes behind
// a gap that stays is left out. Lives on its caller's stack, as the replay.
class journal_salvage {
 public:
  journal_salvage(services outside, std::string log_directory, journal_checkpoint& table,
                  journal_replay& replay)
      : outside_(outside),
        log_directory_(std::move(log_directory)),
        table_(table),
        replay_(replay) {}

  // Blocks are lost here: each log may have lost batches.
  status begin();

  // The entries of a block behind them.
  status apply(bytes_view entries);

  // With which logs are in doubt; not the blocks.
  journal_damage finish() &&;

 private:
  status apply(const journal_entry& entry, const journaled_log& named);
  status apply(const journal_entry& entry, const journaled_batch& piece);
  status apply(const journal_entry& entry, const journaled_log_start& moved);
  status apply(const journal_entry& entry, const journaled_cut& cut);
  status apply(const journal_entry& entry, const journaled_removal& removal);

  // Goes on with what the segments hold behind the log's end.
  status go_on_in_segments(journaled_log& log);
  status note_gap(const journaled_log& log, offset_t begin, offset_t end);
  bool is_known(std::uint32_t number);

  services outside_;
  const std::string log_directory_;
  journal_checkpoint& table_;
  journal_replay& replay_;
  journal_damage found_;
  std::set<std::uint32_t> went_on_;  // logs that a block behind the lost ones continues
  std::set<std::uint32_t> split_;    // logs whose batch is being taken piece by piece
};

}  // namespace ringlog::storage
