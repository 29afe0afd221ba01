#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/types.h"

namespace ringlog::storage {

// Blocks of a journal that were complete once and cannot be read any more.
struct lost_blocks {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// What is known of a log whose batches may have been in them. Everything below `end` is there.
struct doubtful_log {
  offset_t end{0};
  // The first batch behind the gap, and where the log ended with the last one; equal to `end`
  // where the journal has none: then nothing says whether there was more.
  offset_t resumes{0};
  offset_t resumed_end{0};
  bool lacks_batches() const { return resumes > end; }
};

// What cannot be read of a journal, and what that means (docs/journal_format.md, "Damage").
struct journal_damage {
  std::vector<lost_blocks> blocks;
  std::map<topic_partition, doubtful_log> logs;
  std::uint64_t nameless_entries = 0;  // of logs that got their number in a lost block
  std::uint64_t removals_not_done = 0;
};

// "blocks 5 and 7 to 9".
std::string to_string(const std::vector<lost_blocks>& blocks);

}  // namespace ringlog::storage
