#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/epoch_cache.h"
#include "storage/journal/journal_format.h"
#include "storage/log_context.h"
#include "storage/log_loader.h"
#include "storage/log_tail.h"
#include "storage/partition_log.h"
#include "storage/producer_state.h"

namespace ringlog::storage {

// A sealed segment whose files are not complete yet, with the producers as of its end.
struct sealed_segment {
  std::shared_ptr<segment> of;
  offset_t snapshot_offset{0};
  byte_buffer snapshot;
};

// What a partition_log is made of. The members after `mutex` are guarded by it; the flusher's are
// its own, on the engine's thread.
struct partition_log::state {
  state(log_context& shared, topic_partition log_name, uuid id, std::string log_directory,
        const log_config& initial, loaded_log loaded);

  log_context& context;
  const topic_partition name;
  const uuid topic_id;
  const std::string directory;

  mutable std::mutex mutex;
  std::shared_ptr<const log_config> config;
  log_offsets offsets;
  std::vector<std::shared_ptr<segment>> segments;  // at least one; the last takes appends
  log_tail tail;
  producer_state producers;
  epoch_cache epochs;

  std::multimap<offset_t, callback<void(status)>> waiters;  // by the end they wait for
  std::shared_ptr<callback<void(offset_t)>> listener;

  std::optional<error> refusal;    // why appends are refused for good: closed or deleted
  bool cutting = false;            // and why they are for the moment
  bool deleted = false;            // nothing can be read any more, either
  std::uint64_t layout = 0;        // changes when segments go or are cut: readers look again
  std::uint64_t truncations = 0;   // how often the end was cut
  std::deque<offset_t> last_cuts;  // where the last of them cut
  static constexpr std::size_t cuts_remembered = 64;
  bool flush_queued = false;           // the flusher knows that there is something to write
  std::vector<sealed_segment> sealed;  // to be completed by the flusher, oldest first
  bool changed = false;                // since it was loaded: close() has files to write
  offset_t stored_end{0};              // everything below is in the segment files
  std::int64_t unstored_bytes = 0;     // of the tail, from there on
  std::uint32_t journal_number = 0;    // 0: the journal does not know this log
  std::uint64_t log_start_entry = 0;   // of the journal: the last one that moved the log start

  // What waits until no write of this log is under way; run on the engine's thread.
  std::vector<task> between_writes;

  // The engine's thread only.
  std::vector<offset_t> snapshots;  // of the producer snapshot files, rising
  bool directory_there = false;
  bool listed_to_store = false;                    // the flusher has it among those to be stored
  offset_t store_to{0};                            // what somebody waits for to be stored
  std::multimap<offset_t, task> store_waiters;     // by the end they wait for
  std::vector<std::shared_ptr<segment>> unsynced;  // written to since the last checkpoint
  std::shared_ptr<segment> stored_in;              // the segment that holds stored_end

  bool is_journaled() const { return context.shared_journal != nullptr; }
  // Up to where the segments may be written.
  offset_t storable_end() const { return is_journaled() ? offsets.durable_end : offsets.log_end; }
  // What the journal says of this log when it is named, or checkpointed.
  journaled_log as_stored() const;
  // Tells the journal where the log begins now.
  void journal_log_start();

  const segment& active() const { return *segments.back(); }
  segment& active() { return *segments.back(); }
  offset_t bound(read_bound where) const;

  // The last segment whose base is at or below `offset`; the first one for older offsets.
  std::size_t segment_of(offset_t offset) const;

  // Recomputes high watermark and last stable offset after what they depend on has moved.
  void advance_bounds();

  // True when the log was cut below the end of that append since.
  bool was_cut(const append_info& appended) const;
  void note_cut(offset_t end);

  // Puts down an order for the flusher. Called without the mutex.
  void order_flush(const std::shared_ptr<partition_log>& self);

  // Runs the task on the engine's thread while no write of this log is under way.
  void run_between_writes(const std::shared_ptr<partition_log>& self, task work);
};

using log_state = partition_log::state;

}  // namespace ringlog::storage
