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

// An offset, and where its batch begins or will begin.
struct log_place {
  offset_t offset{0};
  offset_t segment_base{0};
  std::int64_t position = 0;
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
  bool named_outside = false;          // what the journal was last told of this log
  bool journal_ended = false;          // the log was deleted: the journal has its last entry
  std::uint64_t log_start_entry = 0;   // of the journal: the last one that moved the log start

  // How appends are acknowledged. It follows config->promise by a change (durability_control.h);
  // meanwhile appends gather in the tail from gathered_from on, and nothing past it is stored.
  durability promise_kept = durability::fsync;
  bool changing = false;
  offset_t gathered_from{0};
  log_place synced;  // outside of the journal: everything before it is on stable storage

  // What waits until no write of this log is under way; run on the engine's thread.
  std::vector<task> between_writes;

  // The engine's thread only.
  std::vector<offset_t> snapshots;  // of the producer snapshot files, rising
  bool directory_there = false;
  bool waits_for_room = false;                     // on the disk
  bool listed_to_store = false;                    // the flusher has it among those to be stored
  offset_t store_to{0};                            // what somebody waits for to be stored
  std::multimap<offset_t, task> store_waiters;     // by the end they wait for
  std::vector<std::shared_ptr<segment>> unsynced;  // written to since the last checkpoint or sync
  std::vector<std::shared_ptr<segment>> syncing;   // taken from there by a sync that is under way
  bool sync_running = false;
  std::vector<callback<void(status)>> sync_waiters;  // for the sync that begins next
  bool flush_timer_set = false;
  std::vector<task> after_change;      // what waits for the change of durability under way
  std::shared_ptr<segment> stored_in;  // the segment that holds stored_end

  bool has_journal() const { return context.shared_journal != nullptr; }
  // Appends go through the journal; else straight to the segments. While changing neither.
  bool is_journaled() const { return has_journal() && promise_kept == durability::fsync; }
  bool is_direct() const { return !changing && !is_journaled(); }
  // Up to where the segments may be written.
  offset_t storable_end() const { return is_direct() ? offsets.log_end : offsets.durable_end; }
  log_place stored_place() const { return {stored_end, stored_in->base, stored_in->stored_bytes}; }
  // What the journal says of this log when it is named, or checkpointed.
  journaled_log as_stored() const;
  // Tells the journal so, with a number for the log if it has none.
  void name_in_journal(bool outside);
  // Puts the batches from `from` on into the journal.
  void journal_tail(const std::shared_ptr<partition_log>& self, offset_t from);
  // True when the config asks for another durability than is kept and the change begins with this
  // call: the caller orders it (durability_control::change) once it has let go of the mutex.
  bool begin_change();
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
