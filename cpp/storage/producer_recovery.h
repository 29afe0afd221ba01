#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "storage/producer_state.h"
#include "storage/segment.h"
#include "storage/segment_cache.h"
#include "storage/services.h"

namespace ringlog::storage {

// Builds the state of a log's producers at an offset: from the latest good snapshot file and the
// batches after it (Kafka: ProducerStateManager.truncateAndReload, UnifiedLog.
// rebuildProducerState). Lives on its caller's stack, reads files there.
class producer_recovery {
 public:
  // Enough for five of the largest batches that brokers take by default.
  static constexpr std::int64_t recall_bytes_max = 8 * limits::MiB;

  // `snapshots` are the offsets of the snapshot files, rising.
  producer_recovery(services outside, segment_cache& cache, std::string directory,
                    std::vector<offset_t> snapshots, std::int64_t expiration_ms)
      : outside_(outside),
        cache_(cache),
        directory_(std::move(directory)),
        snapshots_(std::move(snapshots)),
        expiration_ms_(expiration_ms) {}

  // Loads the latest snapshot in (log_start, limit], without producers that are idle for too long;
  // with none the state is empty as of log_start. Damaged snapshots are passed over.
  status load(offset_t log_start, offset_t limit);

  // Applies the durable batches from end() up to `to`.
  status replay(const std::vector<std::shared_ptr<segment>>& segments, offset_t to);

  // Applies one batch, the next in the log. Aborted transactions are added to `aborted`.
  status apply(const model::batch_view& batch, std::vector<aborted_range>& aborted);

  // Remembers of each producer the batches before its last one again: a snapshot keeps only that,
  // but a client whose answers were lost resends up to five. Looks at the log's last
  // recall_bytes_max; what it cannot read stays forgotten.
  void recall(const std::vector<std::shared_ptr<segment>>& segments);

  offset_t end() const { return end_; }
  producer_state& producers() { return producers_; }
  producer_state take() && { return std::move(producers_); }

 private:
  using batch_lists =
      std::map<std::pair<producer_id_t, producer_epoch_t>, std::vector<producer_batch>>;
  status replay_segment(const segment& of, offset_t to);
  status list_batches(const segment& of, std::int64_t bytes_max, batch_lists& lists);

  services outside_;
  segment_cache& cache_;
  std::string directory_;
  std::vector<offset_t> snapshots_;
  std::int64_t expiration_ms_;
  producer_state producers_;
  offset_t end_{0};  // producers_ is as of this offset
};

}  // namespace ringlog::storage
