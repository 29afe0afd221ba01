#include "storage/check/epoch_check.h"

#include <algorithm>

#include "storage/checkpoint_file.h"
#include "storage/file_names.h"

namespace ringlog::storage {

epoch_check::epoch_check(io::file_system& disk, check_report& report, const std::string& directory,
                         offset_t log_start)
    : disk_(disk),
      report_(report),
      path_(join_path(directory, file_names::leader_epochs)),
      log_start_(log_start) {}

void epoch_check::load() {
  const auto there = disk_.exists(path_);
  there_ = there.ok() && *there;
  auto entries = read_epoch_checkpoint(disk_, path_);
  if (entries.ok()) {
    stored_ = epoch_cache(std::move(*entries));
  } else {
    fault(finding_severity::fault, sentence_of(entries.failure(), path_), log_start_);
  }
}

std::optional<leader_epoch_t> epoch_check::take(const model::batch_header_view& batch,
                                                bool believed) {
  const leader_epoch_t epoch = batch.partition_leader_epoch();
  if (epoch == no_leader_epoch) return std::nullopt;  // written by a Kafka before 0.11
  const leader_epoch_t before = seen_.latest();
  if (epoch < before) return before;
  seen_.assign(epoch, batch.base_offset());
  const leader_epoch_t stored = stored_.epoch_at(batch.base_offset());
  // Of what the next open looks at it takes the epochs itself.
  if (stored == epoch || mentioned_ || !believed || batch.base_offset() < log_start_) {
    return std::nullopt;
  }
  fault(finding_severity::fault,
        there_ ? fmt::format("leader epoch {} starts at or before offset {}, which it does not say",
                             epoch, batch.base_offset())
               : fmt::format("it is missing; the batches are of leader epoch {} and later", epoch),
        batch.base_offset());
  return std::nullopt;
}

void epoch_check::finish(offset_t log_end, bool clean_shutdown) {
  if (!mentioned_ && !stored_.entries().empty() &&
      stored_.entries().back().start_offset > log_end) {
    fault(clean_shutdown ? finding_severity::fault : finding_severity::note,
          fmt::format("epoch {} would start past the log's end {}", stored_.latest(), log_end),
          stored_.entries().back().start_offset);
  }
  if (!wrong_) return;
  seen_.truncate_from_start(log_start_);
  report_.plan(fmt::format("write {} again from the batches", path_),
               [&disk = disk_, path = path_, entries = seen_.entries()] {
                 return io::replace_file(disk, path, as_bytes(epoch_checkpoint_text(entries)));
               });
}

void epoch_check::fault(finding_severity severity, std::string text, offset_t offset) {
  mentioned_ = true;
  wrong_ = wrong_ || severity == finding_severity::fault;
  report_.add({.severity = severity,
               .path = path_,
               .offset = offset,
               .text = std::move(text),
               .remedy = severity == finding_severity::fault
                             ? "it would be written again from the batches"
                             : "the next open puts it right"});
}

}  // namespace ringlog::storage
