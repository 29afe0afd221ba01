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
  outside_.engine.post_aside(
      [self = shared_from_this(), &target, done = std::move(done)]() mutable {
        self->outside_.engine.post(
            [self, &target, found = self->open_(), done = std::move(done)]() mutable {
              if (!found.ok()) return done(std::move(found.failure()));
              self->target_ = std::move(*found);
              self->replay_from(self->target_->log().offsets().log_start, target, std::move(done));
            });
      });
}

void partition_coordinator_log::replay_from(offset_t from, coordinator_replay& target,
                                            callback<void(status)> done) {
  outside_.engine.post_aside([self = shared_from_this(), from, &target,
                              done = std::move(done)]() mutable {
    auto read =
        self->target_->log().read(from, replay_piece_bytes, storage::read_bound::high_watermark);
    self->outside_.engine.post(
        [self, from, &target, read = std::move(read), done = std::move(done)]() mutable {
          const auto next = tell(read, from, target);
          if (!next.ok()) return done(next.failure());
          if (*next == from) return done({});
          self->replay_from(*next, target, std::move(done));
        });
  });
}

result<offset_t> partition_coordinator_log::tell(const result<storage::log_read>& read,
                                                 offset_t from, coordinator_replay& target) {
  if (!read.ok()) return read.failure();
  offset_t next = from;
  for (const shared_bytes& piece : read->batches) {
    TRY_ASSIGN(next, replay_batches(piece.bytes, next, target));
  }
  return next;
}

}  // namespace ringlog::broker
