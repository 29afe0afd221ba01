#include "storage/partition_log.h"

#include <algorithm>

#include "model/record_batch.h"
#include "storage/durability_control.h"
#include "storage/journal/journal.h"
#include "storage/log_cut.h"
#include "storage/log_flusher.h"
#include "storage/log_roll.h"
#include "storage/log_state.h"
#include "storage/log_validator.h"
#include "storage/producer_snapshot.h"

namespace ringlog::storage {

partition_log::state::state(log_context& shared, topic_partition log_name, uuid id,
                            std::string log_directory, const log_config& initial, loaded_log loaded)
    : context(shared),
      name(std::move(log_name)),
      topic_id(id),
      directory(std::move(log_directory)),
      config(std::make_shared<const log_config>(initial)),
      segments(std::move(loaded.segments)),
      producers(std::move(loaded.producers)),
      epochs(std::move(loaded.epochs)),
      changed(loaded.recovered),
      snapshots(std::move(loaded.snapshots)),
      directory_there(loaded.directory_there) {
  offsets.log_start = loaded.log_start;
  offsets.log_end = offsets.durable_end = stored_end = loaded.log_end;
  stored_in = segments.back();
  journal_number = loaded.journal_number;
  named_outside = loaded.was_outside;
  promise_kept = loaded.was_outside ? durability::page_cache : durability::fsync;
  synced = stored_place();
  offsets.last_stable = offsets.high_watermark = loaded.log_start;
  advance_bounds();
}

void partition_log::state::advance_bounds() {
  // One replica: what is durable here is durable everywhere.
  offsets.high_watermark = offsets.durable_end;
  producers.high_watermark_moved(offsets.high_watermark);
  const offset_t unstable = producers.first_unstable_offset().value_or(offsets.high_watermark);
  offsets.last_stable = std::clamp(unstable, offsets.log_start, offsets.high_watermark);
  offsets.check();
}

journaled_log partition_log::state::as_stored() const {
  const log_place place = named_outside ? synced : stored_place();
  return {name,           topic_id,     offsets.log_start, place.offset, place.segment_base,
          place.position, named_outside};
}

void partition_log::state::name_in_journal(bool outside) {
  if (outside && !named_outside) synced = stored_place();
  named_outside = outside;
  if (journal_number == 0) {
    journal_number = context.shared_journal->introduce(as_stored());
  } else {
    context.shared_journal->append({journal_number, as_stored()});
  }
}

void partition_log::state::journal_tail(const std::shared_ptr<partition_log>& self, offset_t from) {
  for (std::size_t at = tail.first_from(from); at < tail.size(); ++at) {
    const tail_batch& next = tail.at(at);
    context.shared_journal->append(
        {journal_number,
         journaled_batch{next.base, next.end, next.of->base, next.position, next.batch.bytes}},
        next.batch.owner, self);
  }
}

bool partition_log::state::begin_change() {
  if (changing || cutting || config->promise == promise_kept) return false;
  gathered_from = offsets.log_end;
  changing = true;
  return true;
}

void partition_log::state::journal_log_start() {
  if (journal_ended) return;
  if (journal_number == 0) journal_number = context.shared_journal->introduce(as_stored());
  log_start_entry = context.shared_journal->append(
      {journal_number, journaled_log_start{offsets.log_start, segments.front()->base}});
}

bool partition_log::state::was_cut(const append_info& appended) const {
  for (std::uint64_t cut = appended.truncations; cut < truncations; ++cut) {
    const std::uint64_t age = truncations - cut;
    if (age > last_cuts.size() || last_cuts[last_cuts.size() - age] < appended.end_offset()) {
      return true;
    }
  }
  return false;
}

void partition_log::state::note_cut(offset_t end) {
  ++truncations;
  ++layout;
  last_cuts.push_back(end);
  if (last_cuts.size() > cuts_remembered) last_cuts.pop_front();
}

void partition_log::state::order_flush(const std::shared_ptr<partition_log>& self) {
  context.flusher->order(self);
}

void partition_log::state::run_between_writes(const std::shared_ptr<partition_log>& self,
                                              task work) {
  bool order = false;
  {
    const std::lock_guard lock(mutex);
    between_writes.push_back(std::move(work));
    order = !std::exchange(flush_queued, true);
  }
  if (order) order_flush(self);
}

partition_log::partition_log(std::unique_ptr<state> loaded) : state_(std::move(loaded)) {}
partition_log::~partition_log() = default;

const topic_partition& partition_log::name() const { return state_->name; }
uuid partition_log::topic_id() const { return state_->topic_id; }

log_config partition_log::config() const {
  const std::lock_guard lock(state_->mutex);
  return *state_->config;
}

void partition_log::set_config(const log_config& config) {
  auto changed = std::make_shared<const log_config>(config);
  bool change = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->config = std::move(changed);
    // One that nothing was appended to changes with its first append.
    change = state_->changed && !state_->refusal && state_->begin_change();
  }
  if (change) state_->context.durabilities->change(shared_from_this());
}

log_offsets partition_log::offsets() const {
  const std::lock_guard lock(state_->mutex);
  return state_->offsets;
}

leader_epoch_t partition_log::latest_leader_epoch() const {
  const std::lock_guard lock(state_->mutex);
  return state_->epochs.latest();
}

leader_epoch_t partition_log::leader_epoch_at(offset_t offset) const {
  const std::lock_guard lock(state_->mutex);
  return state_->epochs.epoch_at(offset);
}

epoch_end partition_log::end_offset_for_epoch(leader_epoch_t epoch) const {
  const std::lock_guard lock(state_->mutex);
  return state_->epochs.end_offset_for(epoch, state_->offsets.log_end);
}

void partition_log::assign_leader_epoch(leader_epoch_t epoch) {
  const std::lock_guard lock(state_->mutex);
  state_->epochs.assign(epoch, state_->offsets.log_end);
  state_->changed = true;
}

std::vector<producer_description> partition_log::producers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->producers.describe();
}

std::int64_t partition_log::size_bytes() const {
  const std::lock_guard lock(state_->mutex);
  std::int64_t bytes = 0;
  for (const auto& of : state_->segments) bytes += of->bytes;
  return bytes;
}

status partition_log::health() const {
  TRY(state_->context.health.check());
  const std::lock_guard lock(state_->mutex);
  if (state_->refusal) return *state_->refusal;
  return {};
}

// ---- append

namespace {

// An append after its checks, on its way into the log. Used under the log's mutex.
class append_in_progress {
 public:
  append_in_progress(const std::shared_ptr<partition_log>& self, mutable_bytes bytes,
                     const std::vector<std::size_t>& sizes)
      : self_(self), log_(self->internals()), bytes_(bytes), sizes_(sizes) {}

  template <typename Visit>  // status(model::batch_view, mutable_bytes)
  status each(Visit&& visit) const {
    std::size_t at = 0;
    for (const std::size_t size : sizes_) {
      const mutable_bytes batch = bytes_.subspan(at, size);
      TRY(visit(model::batch_view(batch), batch));
      at += size;
    }
    return {};
  }

  // The answer for a batch that the log has already.
  std::optional<append_info> find_duplicate() const {
    std::optional<append_info> found;
    (void)each([&](const model::batch_view& batch, mutable_bytes) -> status {
      const auto known = log_.producers.find_duplicate(batch);
      if (!known || found) return {};
      found = append_info{
          known->first_offset(), known->last_offset, no_timestamp, log_.offsets.log_start, true,
          log_.truncations};
      return {};
    });
    return found;
  }

  // Gives the batches their offsets, from the end of the log on, and checks their producers.
  status assign(leader_epoch_t epoch, producer_check check) {
    offset_t next = log_.offsets.log_end;
    return each([&](const model::batch_view& batch, mutable_bytes) -> status {
      TRY(log_.producers.prepare(update_, batch, next, check));
      stamps_.push_back({next, epoch});
      largest_timestamp_ = std::max(largest_timestamp_, batch.max_timestamp());
      next += batch.last_offset_delta() + 1;
      end_ = next;
      return {};
    });
  }

  // Takes the offsets and epochs that the batches have.
  status keep_offsets() {
    offset_t next = log_.offsets.log_end;
    return each([&](const model::batch_view& batch, mutable_bytes) -> status {
      if (batch.base_offset() < next) {
        return make_error(error_code::invalid_argument,
                          "{}: a batch at offset {} cannot follow offset {}", log_.name.to_string(),
                          batch.base_offset(), next - 1);
      }
      TRY(log_.producers.prepare(update_, batch, batch.base_offset(), producer_check::none));
      stamps_.push_back({batch.base_offset(), batch.partition_leader_epoch()});
      largest_timestamp_ = std::max(largest_timestamp_, batch.max_timestamp());
      next = end_ = batch.next_offset();
      return {};
    });
  }

  offset_t first() const { return stamps_.front().base; }
  offset_t end() const { return end_; }
  std::int64_t largest_timestamp() const { return largest_timestamp_; }

  // Nothing can fail any more: stamps the batches and makes them part of the log.
  void commit(const std::shared_ptr<const byte_buffer>& owner, timestamp_type type,
              std::int64_t append_time, const std::shared_ptr<segment>& active) {
    std::size_t number = 0;
    (void)each([&](const model::batch_view& batch, mutable_bytes bytes) -> status {
      const stamp& assigned = stamps_[number++];
      if (type == timestamp_type::log_append_time) {
        model::stamp_timestamps(bytes, type, append_time);
      } else if (batch.timestamps() != type) {
        model::stamp_timestamps(bytes, type, batch.max_timestamp());
      }
      model::stamp_position(bytes, assigned.base, assigned.epoch);
      return {};
    });
    commit_verbatim(owner, active);
  }

  void commit_verbatim(const std::shared_ptr<const byte_buffer>& owner,
                       const std::shared_ptr<segment>& active) {
    const bool journals = log_.is_journaled() && !log_.changing;
    if (journals && log_.journal_number == 0) log_.name_in_journal(false);
    (void)each([&](const model::batch_view& batch, mutable_bytes) -> status {
      if (batch.partition_leader_epoch() > log_.epochs.latest()) {
        log_.epochs.assign(batch.partition_leader_epoch(), batch.base_offset());
      }
      log_.tail.append({batch.base_offset(),
                        batch.next_offset(),
                        active->bytes,
                        active,
                        {owner, batch.bytes()}});
      if (journals) {
        log_.context.shared_journal->append(
            {log_.journal_number, journaled_batch{batch.base_offset(), batch.next_offset(),
                                                  active->base, active->bytes, batch.bytes()}},
            owner, self_);
      }
      active->note_batch(batch, log_.config->index_interval_bytes);
      return {};
    });
    std::vector<aborted_range> aborted;
    log_.producers.commit(std::move(update_), aborted);
    for (const aborted_range& range : aborted) active->note_aborted(range);
    log_.offsets.log_end = end_;
    log_.unstored_bytes += static_cast<std::int64_t>(bytes_.size());
    log_.changed = true;
  }

 private:
  struct stamp {
    offset_t base;
    leader_epoch_t epoch;
  };

  const std::shared_ptr<partition_log>& self_;
  log_state& log_;
  mutable_bytes bytes_;
  const std::vector<std::size_t>& sizes_;
  producer_update update_;
  std::vector<stamp> stamps_;
  offset_t end_{no_offset};
  std::int64_t largest_timestamp_ = no_timestamp;
};

producer_check check_of(append_origin origin) {
  return origin == append_origin::client ? producer_check::client : producer_check::coordinator;
}

status check_writable(const log_state& log) {
  TRY(log.context.health.check());
  if (log.context.read_only) {
    return make_error(error_code::permission_denied, "{} is open for reading only",
                      log.context.directory);
  }
  if (log.refusal) return *log.refusal;
  if (log.context.disk_full) {
    return make_error(error_code::no_space,
                      "{}: no space left on the device of {}; free some, or shorten the retention "
                      "of topics",
                      log.name.to_string(), log.context.directory);
  }
  if (log.cutting) {
    return make_error(error_code::no_space, "{} takes no appends just now: its end is being cut",
                      log.name.to_string());
  }
  return {};
}

error no_room(const log_state& log) {
  return make_error(error_code::no_memory,
                    "{}: too many appended bytes wait for the disk; wait for earlier appends and "
                    "try again",
                    log.name.to_string());
}

// Takes room in memory and in the journal for an append.
bool take_room(log_state& log, std::int64_t bytes, std::size_t batches, append_origin origin) {
  if (log.is_journaled()) {
    const journal* shared = log.context.shared_journal;
    const std::size_t journaled =
        static_cast<std::size_t>(bytes) + batches * journal_format::batch_overhead;
    if (!shared->has_room(journaled, origin == append_origin::coordinator)) return false;
  }
  return log.context.tails.take(bytes);
}

// A buffer with much unused room would pin that while it is in the tail.
void shrink_if_wasteful(byte_buffer& bytes) {
  if (bytes.capacity() > 2 * bytes.size()) bytes.shrink_to_fit();
}

}  // namespace

result<append_info> partition_log::append_as_leader(byte_buffer&& batches,
                                                    const append_options& options) {
  log_state& log = *state_;
  std::shared_ptr<const log_config> config;
  {
    const std::lock_guard lock(log.mutex);
    TRY(check_writable(log));
    config = log.config;
  }
  const std::int64_t now_ms = log.context.outside.clock.wall_ms();
  TRY_ASSIGN(validated_batches valid, validate_batches(batches, *config, options, now_ms));
  byte_buffer& stored = valid.recoded.empty() ? batches : valid.recoded;
  shrink_if_wasteful(stored);
  const auto bytes = static_cast<std::int64_t>(stored.size());

  append_info info;
  bool order = false;
  bool change = false;
  const auto self = shared_from_this();
  {
    const std::lock_guard lock(log.mutex);
    TRY(check_writable(log));
    append_in_progress append(self, stored, valid.sizes);
    if (options.origin == append_origin::client) {
      if (const auto duplicate = append.find_duplicate()) return *duplicate;
    }
    TRY(append.assign(options.leader_epoch, check_of(options.origin)));
    if (!take_room(log, bytes, valid.sizes.size(), options.origin)) return no_room(log);
    change = log.begin_change();
    // Sealing comes first: the new segment's base is where this append begins.
    const bool log_append = config->message_timestamp_type == timestamp_type::log_append_time &&
                            options.origin == append_origin::client;
    const std::int64_t largest = log_append ? now_ms : append.largest_timestamp();
    if (should_roll(log.active(), *config, {bytes, largest, append.end() - 1, now_ms})) {
      roll(log, append.first(), now_ms);
    }
    const auto owner = std::make_shared<const byte_buffer>(std::move(stored));
    append.commit(owner, log_append ? timestamp_type::log_append_time : timestamp_type::create_time,
                  now_ms, log.segments.back());
    info = {
        append.first(), append.end() - 1, log_append ? now_ms : no_timestamp, log.offsets.log_start,
        false,          log.truncations};
    order = log.is_direct() && !std::exchange(log.flush_queued, true);
  }
  if (change) log.context.durabilities->change(self);
  if (order) log.order_flush(self);
  return info;
}

result<append_info> partition_log::append_as_follower(byte_buffer&& batches) {
  log_state& log = *state_;
  std::vector<std::size_t> sizes;
  for (bytes_view rest = batches; !rest.empty(); rest = rest.subspan(sizes.back())) {
    TRY_ASSIGN(const auto batch, model::parse_batch(rest));
    if (!batch) {
      return make_error(error_code::corrupt, "the last {} bytes are no whole batch", rest.size());
    }
    TRY(model::validate(*batch, model::validation_level::checksum));
    sizes.push_back(batch->bytes().size());
  }
  if (sizes.empty()) {
    return make_error(error_code::invalid_record, "an append needs at least one batch");
  }
  shrink_if_wasteful(batches);
  const auto bytes = static_cast<std::int64_t>(batches.size());
  const std::int64_t now_ms = log.context.outside.clock.wall_ms();

  append_info info;
  bool order = false;
  bool change = false;
  const auto self = shared_from_this();
  {
    const std::lock_guard lock(log.mutex);
    TRY(check_writable(log));
    append_in_progress append(self, batches, sizes);
    TRY(append.keep_offsets());
    if (!take_room(log, bytes, sizes.size(), append_origin::client)) return no_room(log);
    change = log.begin_change();
    const roll_question question{bytes, append.largest_timestamp(), append.end() - 1, now_ms};
    if (should_roll(log.active(), *log.config, question)) roll(log, append.first(), now_ms);
    append.commit_verbatim(std::make_shared<const byte_buffer>(std::move(batches)),
                           log.segments.back());
    info = {append.first(), append.end() - 1, no_timestamp, log.offsets.log_start,
            false,          log.truncations};
    order = log.is_direct() && !std::exchange(log.flush_queued, true);
  }
  if (change) log.context.durabilities->change(self);
  if (order) log.order_flush(self);
  return info;
}

void partition_log::when_durable(const append_info& appended, callback<void(status)> done) {
  log_state& log = *state_;
  status outcome = log.context.health.check();
  {
    const std::lock_guard lock(log.mutex);
    const bool durable = appended.end_offset() <= log.offsets.durable_end;
    if (durable) outcome = status();
    if (log.was_cut(appended)) {
      outcome = make_error(error_code::no_space, "{}: the append was undone, the disk was full",
                           log.name.to_string());
    } else if (!durable && outcome.ok()) {
      log.waiters.emplace(appended.end_offset(), std::move(done));
      return;
    }
  }
  log.context.outside.engine.post(
      [outcome = std::move(outcome), done = std::move(done)]() mutable { done(outcome); });
}

void partition_log::when_durable(offset_t end, callback<void(status)> done) {
  append_info known;
  known.last_offset = end - 1;
  {
    const std::lock_guard lock(state_->mutex);
    known.truncations = state_->truncations;
  }
  when_durable(known, std::move(done));
}

void partition_log::set_high_watermark_listener(callback<void(offset_t)> listener) {
  auto shared =
      listener ? std::make_shared<callback<void(offset_t)>>(std::move(listener)) : nullptr;
  const std::lock_guard lock(state_->mutex);
  state_->listener = std::move(shared);
}

// ---- cutting

namespace {

void when_journaled(log_context& context, journal::entry_number entry, offset_t answer,
                    callback<void(result<offset_t>)> done) {
  context.outside.engine.post([&context, entry, answer, done = std::move(done)]() mutable {
    context.shared_journal->when_durable(
        entry, [answer, done = std::move(done)](const status& durable) mutable {
          if (!durable.ok()) return done(durable.failure());
          done(answer);
        });
  });
}

}  // namespace

void partition_log::delete_records(offset_t before, callback<void(result<offset_t>)> done) {
  log_state& log = *state_;
  const auto answer = [&log, &done](result<offset_t> outcome) {
    log.context.outside.engine.post(
        [outcome = std::move(outcome), done = std::move(done)]() mutable { done(outcome); });
  };
  if (status healthy = health(); !healthy.ok()) return answer(std::move(healthy.failure()));
  offset_t moved;
  journal::entry_number entry = 0;
  {
    const std::lock_guard lock(log.mutex);
    const offset_t target = before == no_offset ? log.offsets.high_watermark : before;
    if (target < offset_t(0) || target > log.offsets.high_watermark) {
      return answer(make_error(error_code::offset_out_of_range,
                               "{}: records cannot be deleted up to {}, the high watermark is {}",
                               log.name.to_string(), target, log.offsets.high_watermark));
    }
    if (target > log.offsets.log_start) {
      log.offsets.log_start = target;
      log.offsets.last_stable = std::max(log.offsets.last_stable, target);
      log.producers.log_start_moved(target);
      log.epochs.truncate_from_start(target);
      log.advance_bounds();
      log.changed = true;
      if (log.has_journal()) log.journal_log_start();
    }
    moved = log.offsets.log_start;
    entry = log.log_start_entry;
  }
  if (log.has_journal()) return when_journaled(log.context, entry, moved, std::move(done));
  log.context.keep_log_starts([moved, done = std::move(done)](const status& kept) mutable {
    if (kept.ok()) return done(moved);
    done(kept.failure());
  });
}

void partition_log::truncate_to(offset_t end, callback<void(status)> done) {
  const auto self = shared_from_this();
  state_->run_between_writes(self, [self, end, done = std::move(done)]() mutable {
    cut_log(self->internals().context, self, end, std::move(done));
  });
}

}  // namespace ringlog::storage
