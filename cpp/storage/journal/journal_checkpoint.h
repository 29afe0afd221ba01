#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"
#include "storage/journal/journal_format.h"

namespace ringlog::storage {

// How far the metadata log goes at least, and the last epoch in which ringlog writes it: what
// stands there with a later one is another program's.
struct metadata_mark {
  leader_epoch_t epoch{-1};   // none: there is no metadata log
  offset_t end{0};            // everything below is in the segments
  offset_t segment_base{0};   // of the segment that holds the end
  std::int64_t position = 0;  // of the end in it

  bool operator==(const metadata_mark&) const = default;
};

// Where replay begins and what it builds on: the content of the file `checkpoint` in the journal's
// folder, replaced as a whole. docs/journal_format.md has its bytes.
struct journal_checkpoint {
  journal_identity identity;
  std::uint64_t epoch = 0;           // the journal epoch that this open took
  std::uint64_t first_sequence = 1;  // blocks before this one are not needed any more
  std::uint32_t next_log = 1;        // the next number to be given to a log
  bool clean = true;                 // closed: nothing is to be replayed
  // The directory was left clean when this journal began: logs that it does not name are whole.
  bool began_clean = true;
  // With `clean`: every partition's directory belongs to a topic, and nothing was left to be
  // deleted. So it is as long as the metadata log is as `metadata` says.
  bool all_known = false;
  metadata_mark metadata;
  std::map<std::uint32_t, journaled_log> logs;  // by number
  // The segment of a log from which on its indexes and producers are not to be relied upon; without
  // an entry that at its segment base.
  std::map<std::uint32_t, offset_t> checked_from;

  // From this segment on, or from an earlier one that is known already.
  void check_from(std::uint32_t number, offset_t segment_base) {
    offset_t& known = checked_from.try_emplace(number, segment_base).first->second;
    known = std::min(known, segment_base);
  }

  void forget(std::uint32_t number) {
    logs.erase(number);
    checked_from.erase(number);
  }

  bool operator==(const journal_checkpoint&) const = default;
};

byte_buffer encode_checkpoint(const journal_checkpoint& content);

// error_code::corrupt, or unsupported for one of a newer ringlog.
result<journal_checkpoint> decode_checkpoint(bytes_view bytes, const std::string& path);

// Nothing when there is no journal yet. error_code::corrupt, too, when there is no such file, but
// blocks are.
result<std::optional<journal_checkpoint>> read_checkpoint(io::file_system& disk,
                                                          const std::string& journal_directory);

// Durable on success.
status write_checkpoint(io::file_system& disk, const std::string& journal_directory,
                        const journal_checkpoint& content);

}  // namespace ringlog::storage
