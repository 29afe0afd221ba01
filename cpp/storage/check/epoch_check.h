#pragma once

#include <optional>
#include <string>

#include "io/file.h"
#include "model/record_batch.h"
#include "storage/check/check_report.h"
#include "storage/epoch_cache.h"

namespace ringlog::storage {

// Holds leader-epoch-checkpoint against the leader epochs of the batches, which it is shown in
// order (KIP-101). On its caller's stack.
class epoch_check {
 public:
  epoch_check(io::file_system& disk, check_report& report, const std::string& directory,
              offset_t log_start);

  void load();

  // The epoch of a batch before, when this one's is smaller: no log has that. `believed`: the next
  // open does not look at the batch.
  std::optional<leader_epoch_t> take(const model::batch_header_view& batch, bool believed);

  void finish(offset_t log_end, bool clean_shutdown);

 private:
  void fault(finding_severity severity, std::string text, offset_t offset);

  io::file_system& disk_;
  check_report& report_;
  const std::string path_;
  const offset_t log_start_;
  bool there_ = false;
  bool wrong_ = false;  // to be written again
  bool mentioned_ = false;
  epoch_cache stored_;
  epoch_cache seen_;
};

}  // namespace ringlog::storage
