#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "io/aligned_buffer.h"
#include "storage/journal/journal_checkpoint.h"
#include "storage/journal/journal_files.h"
#include "storage/journal/journal_format.h"
#include "storage/services.h"

namespace ringlog::storage {

class partition_log;

struct journal_options {
  std::string directory;  // of the journal; is there
  std::int64_t bytes_max = limits::journal_bytes_max;
  journal_identity identity;
};

// Where a journal goes on.
struct journal_position {
  std::uint64_t epoch = 0;
  std::uint64_t next_sequence = 1;
};

// The write-ahead journal that all logs of a directory share (design: docs/journal_format.md). An
// entry that is durable here survives a power cut, whatever became of the segments.
//
// Entries are numbered in the order of append(). They are copied into blocks of at most
// limits::journal_block_bytes_max on the engine's thread: a block is closed when nothing is being
// written or when it is full, never after a delay, so it gathers what comes while earlier blocks
// are written. At most limits::journal_blocks_in_flight_max blocks are being written; they become
// durable in order.
//
// The first failed write is final: `failed` is called and nothing becomes durable any more.
// append() and has_room() from any thread, everything else on the engine's.
class journal {
 public:
  using entry_number = std::uint64_t;

  journal(services outside, journal_options options);
  ~journal();

  // Before the first append: goes on at `from`, with the files as recovery left them.
  void begin(const journal_position& from);
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

  // ---- appending

  // False when so many bytes more would not fit into the journal's bound. Coordinators and metadata
  // may use the last part of it, so that clients cannot lock them out.
  bool has_room(std::size_t bytes, bool last_part_too) const;

  // Puts the entry down. The bytes of a batch, given with their owner, are split over several
  // entries where they do not fit a block. `log` is told when a batch is durable (see on_durable).
  // Returns the number of the (last) entry.
  entry_number append(journal_entry entry, std::shared_ptr<const void> owner = nullptr,
                      std::shared_ptr<partition_log> log = nullptr);

  // Of the last append.
  entry_number last_entry() const;

  // A number for a log, and its first entry.
  std::uint32_t introduce(journaled_log log);

  // ---- what is durable

  // Runs `done` when the entry is durable, or with why it never will be.
  void when_durable(entry_number entry, callback<void(status)> done);

  // The first block that is needed when all that is durable now is in the segments: the next one,
  // or an earlier one where a batch begins that is not complete yet.
  std::uint64_t first_needed() const { return first_needed_; }

  // Called after each step forward, with the ends of the logs that moved: once each per step.
  std::function<void(const std::shared_ptr<partition_log>&, offset_t end)> on_durable;
  std::function<void(const error&)> on_failure;
  // Called when more than half of the bound is in use: a checkpoint is due.
  std::function<void()> on_half_full;

  // ---- room

  journal_files& files() { return files_; }
  std::int64_t live_bytes() const { return files_.live_bytes(); }

  // Blocks before this one are not needed any more.
  void release_before(std::uint64_t first_needed);

  std::uint32_t next_log() const;
  void set_next_log(std::uint32_t number);

  // Lets go of everything; nothing is called any more.
  void stop();

 private:
  struct pending_entry {
    journal_entry what;
    std::shared_ptr<const void> owner;
    std::shared_ptr<partition_log> log;
  };
  struct block;

  void pump();
  bool may_seal() const;
  void take_over_appended();
  std::unique_ptr<block> gather();
  void written(block& which, status outcome);
  void complete_in_order();
  void fail(const error& cause);
  void make_room();
  io::aligned_buffer take_buffer();

  services outside_;
  const journal_options options_;
  journal_files files_;

  mutable std::mutex mutex_;  // guards what follows; never held over a call of others
  std::vector<pending_entry> pending_;
  std::size_t pending_bytes_ = 0;  // of pending_ and taken_
  entry_number next_entry_ = 1;
  std::uint32_t next_log_ = 1;
  std::int64_t used_bytes_ = 0;  // of the files, as of the last block
  bool pump_posted_ = false;
  std::optional<error> failure_;

  // The engine's thread only.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::uint64_t epoch_ = 0;
  std::uint64_t next_sequence_ = 1;
  entry_number last_gathered_ = 0;   // the last entry that is wholly in a block
  std::deque<pending_entry> taken_;  // from pending_: in no block yet
  std::uint64_t split_since_ = 0;    // the block where the batch at the front of taken_ begins
  std::uint64_t durable_sequence_ = 0;
  entry_number durable_entry_ = 0;
  std::uint64_t first_needed_ = 1;
  std::unique_ptr<block> waiting_for_room_;  // sealed, but no file takes it yet
  std::deque<std::unique_ptr<block>> in_flight_;
  std::vector<io::aligned_buffer> spare_buffers_;
  std::multimap<entry_number, callback<void(status)>> waiters_;
};

}  // namespace ringlog::storage
