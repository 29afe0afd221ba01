#include "broker/producer_ids.h"

#include <limits>
#include <utility>

namespace ringlog::broker {

void producer_ids::init(const std::optional<std::string>& transactional_id,
                        const std::optional<producer_identity>& current,
                        reply<producer_identity> done) {
  if (transactional_id) {
    return done(make_error(error_code::transactional_id_authorization,
                           "transactional.id={}: transactions cannot be written yet, only read; "
                           "an idempotent producer needs no transactional.id",
                           *transactional_id));
  }
  const std::int16_t epoch_max = std::numeric_limits<std::int16_t>::max() - 1;
  if (current && current->id > no_producer_id && current->epoch.value() < epoch_max) {
    return done(producer_identity{current->id, current->epoch + std::int16_t{1}});
  }
  next(std::move(done));
}

void producer_ids::next(reply<producer_identity> done) {
  std::optional<producer_id_t> id;
  bool refill = false;
  {
    const std::lock_guard guard(mutex_);
    if (block_.count > 0 && waiting_.empty()) {
      id = block_.first;
      block_.first += 1;
      --block_.count;
    } else {
      waiting_.push_back(std::move(done));
      refill = !std::exchange(refilling_, true);
    }
  }
  if (id) return done(producer_identity{*id, producer_epoch_t{0}});
  if (!refill) return;
  outside_.controller.allocate_producer_ids(
      [self = shared_from_this()](result<metadata::producer_id_block> block) {
        self->refilled(std::move(block));
      });
}

void producer_ids::refilled(result<metadata::producer_id_block> block) {
  std::deque<reply<producer_identity>> waiting;
  {
    const std::lock_guard guard(mutex_);
    refilling_ = false;
    waiting.swap(waiting_);
    if (block.ok()) block_ = *block;
  }
  for (auto& done : waiting) {
    if (block.ok()) {
      next(std::move(done));
    } else {
      done(block.failure());
    }
  }
}

}  // namespace ringlog::broker
