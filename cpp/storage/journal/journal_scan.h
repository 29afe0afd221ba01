#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/result.h"
#include "storage/journal/journal_damage.h"
#include "storage/journal/journal_files.h"
#include "storage/journal/journal_format.h"

namespace ringlog::storage {

// What recovery looks for.
struct scan_request {
  journal_identity identity;
  std::uint64_t first_sequence = 1;  // the first block that is needed
  std::uint64_t epoch = 0;           // the last one that was taken
  // Called for the blocks behind lost ones; without it, lost blocks are error_code::corrupt.
  std::function<status(const block_header&, bytes_view entries)> visit_behind_damage = {};
};

// Where the row of valid blocks lies.
struct scanned_journal {
  std::vector<std::uint32_t> live_files;  // numbers, in the order of their blocks
  std::int64_t position = 0;              // behind the last block, in the last of them
  std::uint64_t next_sequence = 1;
  std::uint64_t blocks = 0;
  std::uint64_t unfinished = 0;  // of the last owner, behind the end
  std::vector<lost_blocks> lost;
  // The newest ones visited, of which no other block says that they were complete.
  std::deque<journal_files::block_place> unproven;
};

using block_visitor = std::function<status(const block_header&, bytes_view entries)>;

// Visits the needed blocks in their order, up to the first that is missing or damaged. That one is
// the end of what the last owner wrote, unless a later block says that it was complete: then
// error_code::corrupt, naming both, or what `visit_behind_damage` is for. All files are live then,
// and full. Reads on the caller's thread.
result<scanned_journal> scan_journal(journal_files& files, const scan_request& request,
                                     const block_visitor& visit);

}  // namespace ringlog::storage
