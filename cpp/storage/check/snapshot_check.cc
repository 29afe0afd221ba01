#include "storage/check/snapshot_check.h"

#include <algorithm>

#include "base/limits.h"
#include "storage/file_names.h"
#include "storage/producer_snapshot.h"

namespace ringlog::storage {

snapshot_check::snapshot_check(io::file_system& disk, check_report& report, request asked)
    : disk_(disk), report_(report), asked_(std::move(asked)) {}

status snapshot_check::load() {
  complete_ = asked_.log_begin == offset_t(0);
  for (const offset_t offset : asked_.snapshots) {
    stored snapshot{
        offset,
        join_path(asked_.directory, segment_file_name(offset, suffixes::producer_snapshot)),
        {}};
    TRY_ASSIGN(const byte_buffer content,
               io::read_file(disk_, snapshot.path, limits::snapshot_file_bytes_max));
    auto entries = decode_producer_snapshot(content, snapshot.path);
    if (!entries.ok()) {
      std::string text = sentence_of(entries.failure(), snapshot.path);
      report_wrong(snapshot.path, offset, std::move(text), false);
      continue;
    }
    snapshot.entries = std::move(*entries);
    if (offset == asked_.log_begin) {
      for (const producer_entry& entry : snapshot.entries) producers_.load(entry);
      complete_ = true;
    } else if (offset > asked_.log_begin) {
      good_.push_back(std::move(snapshot));
    }
  }
  return {};
}

status snapshot_check::take(const model::batch_view& batch, std::vector<aborted_range>& aborted) {
  compare_up_to(batch.base_offset());
  producer_update update;
  TRY(producers_.prepare(update, batch, batch.base_offset(), producer_check::none));
  producers_.commit(std::move(update), aborted);
  return {};
}

void snapshot_check::compare_up_to(offset_t next) {
  for (; next_ < good_.size() && good_[next_].offset <= next; ++next_) {
    if (complete_ && !asked_.compacted) compare(good_[next_]);
  }
}

void snapshot_check::compare(const stored& snapshot) {
  std::string text = difference(snapshot);
  if (!text.empty()) report_wrong(snapshot.path, snapshot.offset, std::move(text), true);
}

// What contradicts the batches below; empty when nothing does.
std::string snapshot_check::difference(const stored& snapshot) const {
  const auto& known = producers_.producers();
  for (const producer_entry& entry : snapshot.entries) {
    const auto found = known.find(entry.producer_id);
    if (found == known.end()) {
      if (!entry.has_batches() || entry.last_batch().last_offset < asked_.log_begin) continue;
      return fmt::format("producer {} did not write offset {}", entry.producer_id,
                         entry.last_batch().last_offset);
    }
    const producer_entry& expected = found->second;
    const offset_t last = entry.has_batches() ? entry.last_batch().last_offset : no_offset;
    const offset_t last_expected =
        expected.has_batches() ? expected.last_batch().last_offset : no_offset;
    if (entry.producer_epoch != expected.producer_epoch ||
        entry.last_sequence() != expected.last_sequence() || last != last_expected) {
      return fmt::format(
          "producer {} has epoch {}, sequence {}, offset {} in it; the batches say epoch {}, "
          "sequence {}, offset {}",
          entry.producer_id, entry.producer_epoch, entry.last_sequence(), last,
          expected.producer_epoch, expected.last_sequence(), last_expected);
    }
    if (entry.transaction_start != expected.transaction_start) {
      return fmt::format("producer {} has a transaction from offset {} in it, {} in the batches",
                         entry.producer_id, entry.transaction_start, expected.transaction_start);
    }
  }
  for (const auto& [id, entry] : known) {
    if (entry.transaction_start == no_offset) continue;
    const bool there = std::ranges::any_of(
        snapshot.entries, [&](const producer_entry& one) { return one.producer_id == id; });
    if (there) continue;
    return fmt::format("it lacks producer {}, whose transaction began at offset {}", id,
                       entry.transaction_start);
  }
  return {};
}

void snapshot_check::report_wrong(const std::string& path, offset_t offset, std::string text,
                                  bool rebuild) {
  finding found{.severity = finding_severity::fault, .path = path, .offset = offset};
  found.text = std::move(text);
  if (rebuild) {
    found.remedy = "it would be written again from the batches";
    report_.plan(fmt::format("write {} again from the batches", path),
                 [&disk = disk_, path, content = encode_producer_snapshot(producers_.sorted())] {
                   return io::replace_file(disk, path, content);
                 });
  } else {
    found.remedy = "it would be removed; an older one and the batches behind it tell as much";
    report_.plan(fmt::format("remove {}", path),
                 [&disk = disk_, path] { return disk.remove(path); });
  }
  report_.add(std::move(found));
}

void snapshot_check::finish(offset_t log_end) {
  compare_up_to(log_end);
  for (; next_ < good_.size(); ++next_) {
    finding found{.path = good_[next_].path, .offset = good_[next_].offset};
    found.text = fmt::format("the log ends before it, at offset {}", log_end);
    if (asked_.clean_shutdown && complete_) {
      found.severity = finding_severity::fault;
      found.remedy = "it would be removed";
      report_.plan(fmt::format("remove {}", found.path),
                   [&disk = disk_, path = found.path] { return disk.remove(path); });
    }
    report_.add(std::move(found));
  }
  if (!asked_.clean_shutdown || !asked_.snapshots.empty() || producers_.producers().empty()) {
    return;
  }
  const std::string path =
      join_path(asked_.directory, segment_file_name(log_end, suffixes::producer_snapshot));
  finding found{.severity = finding_severity::fault, .path = path, .offset = log_end};
  found.text =
      "no producer snapshot is there: after a clean shutdown Kafka would forget the "
      "producers and their sequence numbers";
  if (complete_) {
    found.remedy = "it would be written from the batches";
    report_.plan(fmt::format("write {} from the batches", path),
                 [&disk = disk_, path, content = encode_producer_snapshot(producers_.sorted())] {
                   return io::replace_file(disk, path, content);
                 });
  }
  report_.add(std::move(found));
}

}  // namespace ringlog::storage
