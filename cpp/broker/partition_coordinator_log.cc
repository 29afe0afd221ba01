#include "broker/partition_coordinator_log.h"

#include "model/batch_builder.h"

namespace ringlog::broker {

namespace {

constexpr std::int64_t replay_piece_bytes = limits::MiB;
// How long an append waits for room in memory (offsets.commit.timeout.ms).
constexpr milliseconds append_wait_max{5'000};

}  // namespace

void partition_coordinator_log::append(std::vector<coordinator_record> records,
                                       callback<void(result<offset_t>)> done) {
  model::batch_builder builder;
  const std::int64_t now = outside_.time.wall_ms();
  for (const coordinator_record& record : records) {
    std::optional<bytes_view> value;
    if (record.value) value = *record.value;
    builder.append(now, record.key, value);
  }
  partition::append append;
  append.batches = std::move(builder).finish({});
  append.origin = storage::append_origin::coordinator;
  append.trusted = true;
  append.deadline = outside_.time.now() + append_wait_max;
  append.done = [&engine = outside_.engine, done = std::move(done)](
                    partition& appended_to, const result<storage::append_info>& appended) mutable {
    if (!appended.ok()) {
      engine.post([done = std::move(done), why = appended.failure()]() mutable { done(why); });
      return;
    }
    appended_to.log().when_durable(
        *appended,
        [done = std::move(done), first = appended->first_offset](const status& durable) mutable {
          if (!durable.ok()) return done(durable.failure());
          done(first);
        });
  };
  target_->append_as_leader(std::move(append));
}

void partition_coordinator_log::replay(coordinator_replay& target, callback<void(status)> done) {
  outside_.engine.post([self = shared_from_this(), &target, done = std::move(done)]() mutable {
    self->replay_from(self->target_->log().offsets().log_start, target, std::move(done));
  });
}

void partition_coordinator_log::replay_from(offset_t from, coordinator_replay& target,
                                            callback<void(status)> done) {
  const auto read =
      target_->log().read(from, replay_piece_bytes, storage::read_bound::high_watermark);
  if (!read.ok()) return done(read.failure());
  offset_t next = from;
  for (const shared_bytes& piece : read->batches) {
    const auto replayed = replay_batches(piece.bytes, next, target);
    if (!replayed.ok()) return done(replayed.failure());
    next = *replayed;
  }
  if (next == from) return done({});
  outside_.engine.post(
      [self = shared_from_this(), next, &target, done = std::move(done)]() mutable {
        self->replay_from(next, target, std::move(done));
      });
}

}  // namespace ringlog::broker
