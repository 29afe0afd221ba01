"""The planted bugs: each a text of the sources, what replaces it, and the check that must fail.

A check is "storage N" or "broker N", so many simulation runs of that harness, or the name of a
test program and a filter. `run.py` applies them one by one; tests/lint sees to it that each text
still stands exactly once in its file.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    name: str
    file: str
    text: str
    planted: str
    check: str


JOURNAL = "cpp/storage/journal/journal.cc"
FILES = "cpp/storage/journal/journal_files.cc"
SCAN = "cpp/storage/journal/journal_scan.cc"
FORMAT = "cpp/storage/journal/journal_format.cc"
REPLAY = "cpp/storage/journal/journal_replay.cc"
MANAGER_JOURNAL = "cpp/storage/manager_journal.cc"
MANAGER = "cpp/storage/manager_state.cc"
FLUSHER = "cpp/storage/log_flusher.cc"
LOG = "cpp/storage/partition_log.cc"
CUT = "cpp/storage/log_cut.cc"
LOADER = "cpp/storage/log_loader.cc"
RETENTION = "cpp/storage/log_retention.cc"
SHUTDOWN = "cpp/storage/log_shutdown.cc"

BUGS = [
    # ---- acknowledging
    Bug(
        "acknowledges when the block is closed, not when it is durable",
        LOG,
        "    const bool durable = appended.end_offset() <= log.offsets.durable_end;",
        "    const bool durable = appended.end_offset() <= log.offsets.log_end;",
        "storage 200",
    ),
    Bug(
        "the high watermark moves before the journal is durable",
        "cpp/storage/partition_log.cc",
        "  offsets.high_watermark = offsets.durable_end;\n",
        "  offsets.high_watermark = offsets.log_end;\n",
        "storage 200",
    ),
    Bug(
        "completes blocks in any order",
        JOURNAL,
        "while (!in_flight_.empty() && in_flight_.front()->is_written) {",
        "while (!in_flight_.empty()) {",
        "storage 200",
    ),
    Bug(
        "ignores that writing a block failed",
        JOURNAL,
        "  if (!outcome.ok()) return fail(outcome.failure());\n  which.is_written = true;",
        "  which.is_written = true;",
        "storage 400",
    ),
    Bug(
        "a failed journal write does not stop appends",
        MANAGER_JOURNAL,
        "  shared_journal->on_failure = [this](const error& cause) {\n"
        "    context.health.fail(cause);",
        "  shared_journal->on_failure = [this](const error& cause) {",
        "storage 400",
    ),
    Bug(
        "answers a moved log start before it is durable",
        LOG,
        "    context.shared_journal->when_durable(\n        entry, [answer,",
        "    context.shared_journal->when_durable(\n        entry * 0, [answer,",
        "storage 300",
    ),
    Bug(
        "answers a deletion before the journal has it",
        MANAGER,
        "        removal->second,\n",
        "        removal->second * 0,\n",
        "storage 300",
    ),
    Bug(
        "answers a cut before the journal has it",
        CUT,
        "  context.shared_journal->when_durable(\n      entry, [&context, log, end,",
        "  context.shared_journal->when_durable(\n      entry * 0, [&context, log, end,",
        "storage 400",
    ),
    # ---- the journal's blocks and files
    Bug(
        "replays blocks without a look at their checksum",
        SCAN,
        "if (bytes.size() < header->bytes || !has_right_checksum(bytes)) return none;",
        "if (bytes.size() < header->bytes) return none;",
        "storage 300",
    ),
    Bug(
        "replays a block of an earlier epoch behind those of a later one",
        SCAN,
        "      if (header.epoch < epoch_ || header.sequence > found_.next_sequence) break;",
        "      if (header.sequence > found_.next_sequence) break;",
        "test_storage Journal*",
    ),
    Bug(
        "takes a damaged block in the middle for the torn end",
        SCAN,
        "    if (complete < found_.next_sequence) return {};",
        "    if (complete > 0) return {};",
        "storage 300",
    ),
    Bug(
        "believes only the last owner that a block was complete",
        SCAN,
        "        if (block->header.durable_sequence > complete) {",
        "        if (header->epoch == request_.epoch && header->durable_sequence > complete) {",
        "storage 600",
    ),
    Bug(
        "accepts the blocks of another directory",
        FORMAT,
        "  if (header.identity != identity) return none;",
        "",
        "test_storage Journal*",
    ),
    Bug(
        "does not raise the epoch",
        MANAGER_JOURNAL,
        "  ++table.epoch;\n",
        "",
        "test_storage *NextEpoch*",
    ),
    Bug(
        "goes on in the journal where it began, not behind the last block",
        FILES,
        "  position_ = position;\n}\n\nstatus journal_files::write_again(",
        "  position_ = 0 * position;\n}\n\nstatus journal_files::write_again(",
        "storage 200",
    ),
    Bug(
        "goes on behind blocks that nobody flushed",
        MANAGER_JOURNAL,
        "  TRY(shared_journal->files().write_again(scanned.unproven));\n",
        "",
        "test_storage *WrittenAnew*",
    ),
    Bug(
        "flushes blocks whose flush failed, but does not write them anew",
        FILES,
        "    TRY(file.write_at(position, bytes));\n",
        "",
        "test_storage *WrittenAnew*",
    ),
    Bug(
        "the name of a new journal file is not synced",
        FILES,
        "(status named = home_.outside_.disk.sync_directory(home_.directory_); !named.ok())",
        "(status named; !named.ok())",
        "storage 400",
    ),
    Bug(
        "frees journal files that are still needed",
        FILES,
        "live_.front()->last_sequence < first_needed) {",
        "live_.front()->last_sequence < first_needed + 100) {",
        "storage 300",
    ),
    # ---- checkpoints
    Bug(
        "a checkpoint does not sync the segments",
        MANAGER_JOURNAL,
        "    for (const auto& of : std::exchange(state.unsynced, {})) {\n"
        "      written_.add_file(of->path(suffixes::log));\n    }\n",
        "",
        "storage 300",
    ),
    Bug(
        "a checkpoint does not store what the logs have first",
        MANAGER_JOURNAL,
        "      logs_.emplace_back(log, log->internals().offsets.durable_end);\n",
        "      logs_.emplace_back(log, log->internals().stored_end);\n",
        "storage 300",
    ),
    Bug(
        "a checkpoint forgets logs that are being deleted",
        MANAGER_JOURNAL,
        "for (const auto& log : manager_->journaled_logs()) {",
        "for (const auto& log : manager_->open_logs()) {",
        "storage 3000",
    ),
    Bug(
        "a checkpoint forgets a log",
        MANAGER_JOURNAL,
        "    for (const auto& [log, end] : logs_) collect(*log);",
        "    for (std::size_t i = 1; i < logs_.size(); ++i) collect(*logs_[i].first);",
        "storage 300",
    ),
    Bug(
        "frees journal files before the checkpoint is written",
        MANAGER_JOURNAL,
        "    next_ = manager_->table;\n",
        "    next_ = manager_->table;\n"
        "    manager_->shared_journal->release_before(first_needed_);\n",
        "test_storage *FreesNothing*",
    ),
    Bug(
        "a checkpoint does not sync what a replay wrote",
        MANAGER_JOURNAL,
        "  context.sync_later(std::move(replay).written());\n",
        "",
        "storage 400",
    ),
    Bug(
        "log numbers are given out again",
        MANAGER_JOURNAL,
        "  shared_journal->set_next_log(table.next_log);\n",
        "",
        "storage 200",
    ),
    Bug(
        "the directory is Kafka's again before the journal is empty",
        SHUTDOWN,
        "    TRY(manager_->write_checkpoints());\n    TRY(manager_->close_journal());\n",
        "    TRY(manager_->write_checkpoints());\n    TRY(manager_->release());\n"
        "    TRY(manager_->close_journal());\n",
        "storage 400",
    ),
    Bug(
        "a checkpoint forgets the directories and files that were made since the last one",
        MANAGER_JOURNAL,
        "    written_.add(manager_->context.take_unsynced());\n",
        "",
        "storage 400",
    ),
    Bug(
        "what was made is synced behind the file that says so",
        MANAGER_JOURNAL,
        "          TRY(self->synced_ = self->written_.sync());\n",
        "",
        "storage 300",
    ),
    Bug(
        "many files are as good as synced",
        "cpp/storage/sync_group.cc",
        "  if (as_a_whole && replaced_.empty()) return whole_->sync();\n",
        "  if (as_a_whole && replaced_.empty()) return {};\n",
        "storage 300",
    ),
    Bug(
        "a file takes its new name before its content is synced",
        "cpp/storage/sync_group.cc",
        "  TRY(as_a_whole ? whole_->sync() : sync_files());\n",
        "",
        "storage 600",
    ),
    Bug(
        "a replay puts a cut before the batches that it cuts",
        REPLAY,
        "  ++counts_.cuts;\n  TRY(write_gathered());\n",
        "  ++counts_.cuts;\n",
        "storage 600",
    ),
    Bug(
        "a clean close does not sync the segments",
        SHUTDOWN,
        "          return self->failure_ ? status() : self->written_.sync();\n",
        "          return status();\n",
        "storage 400",
    ),
    # ---- replay
    Bug(
        "half a batch counts as a whole one",
        REPLAY,
        "  if (batch.more_follows) return {};\n",
        "",
        "storage 400",
    ),
    Bug(
        "cuts are not replayed",
        REPLAY,
        "  log->end = cut.end;\n  log->segment_base = cut.segment_base;\n"
        "  log->position = cut.position;\n",
        "",
        "storage 300",
    ),
    Bug(
        "a replayed cut leaves the segments behind it",
        REPLAY,
        "  if (is_own) TRY(remove_behind(number, *log, cut));\n",
        "",
        "storage 400",
    ),
    Bug(
        "removals are not replayed",
        REPLAY,
        "    if (is_own) TRY(outside_.disk.remove_tree(directory_of(*log)));\n",
        "",
        "storage 400",
    ),
    Bug(
        "a cut below the log start of a log outside of the journal is not told",
        CUT,
        "  if (lower_log_start(state, cut.end)) state.journal_log_start();\n",
        "  lower_log_start(state, cut.end);\n",
        "test_storage *LowersItForGood*",
    ),
    Bug(
        "moved log starts are not replayed",
        REPLAY,
        "  log->log_start = moved.start;\n",
        "",
        "storage 300",
    ),
    Bug(
        "a replay writes into a directory that another topic has by now",
        REPLAY,
        "  if (has_id && **id != log.topic_id) return false;\n",
        "",
        "broker 1000",
    ),
    Bug(
        "scans and cuts a log that the journal knows",
        LOADER,
        "  if (request_.journaled) return keep_all(of, file_bytes, reason);\n",
        "",
        "storage 3000",
    ),
    Bug(
        "a log is not cut where the journal says that it ends",
        LOADER,
        "  if (request_.journaled) TRY(fit_to_journal());\n",
        "",
        "storage 3000",
    ),
    Bug(
        "producers' last batches are forgotten",
        LOADER,
        "  producers_->recall(loaded_.segments);\n",
        "",
        "storage 300",
    ),
    Bug(
        "a topic made again under its name begins where the old one did",
        MANAGER,
        "        request.log_start = known->second.log_start;\n",
        "        request.log_start = std::max(request.log_start, known->second.log_start);\n",
        "storage 400",
    ),
    # ---- full disks, deletions
    Bug(
        "a full disk drops what was acknowledged",
        FLUSHER,
        "    if (log->internals().is_journaled()) return try_again_later(log);\n",
        "",
        "storage 400",
    ),
    Bug(
        "a full disk never heals",
        FLUSHER,
        "    state.waits_for_room = context_.disk_full = false;\n",
        "",
        "storage 300",
    ),
    Bug(
        "a close does not wait for deletions",
        SHUTDOWN,
        "      if (manager_->deletions > 0) {\n",
        "      if (manager_->deletions > 1'000) {\n",
        "storage 400",
    ),
    Bug(
        "retention removes segments before the journal knows",
        RETENTION,
        "  context.shared_journal->when_durable(entry, [&context,",
        "  context.shared_journal->when_durable(entry * 0, [&context,",
        "storage 400",
    ),
    # ---- files and names
    Bug(
        "goes on after a short write as if all was written",
        "cpp/io/operation.cc",
        "  if (first_left_ < left_.size()) return false;\n",
        "",
        "test_io *",
    ),
    Bug(
        "the name of a new partition is not synced",
        FLUSHER,
        "    made.add_directory(context_.directory);\n",
        "",
        "storage 400",
    ),
    Bug(
        "meta.properties is set aside after the first write, not before",
        MANAGER,
        "  TRY(disk.sync_directory(options.directory));\n  TRY(begin_journal());\n",
        "  TRY(begin_journal());\n",
        "storage 600",
    ),
    # ---- metadata and commits
    Bug(
        "a created topic is answered before it is durable",
        "cpp/metadata/metadata_log.cc",
        "  log->when_durable(info, [self = shared_from_this(), end = info.end_offset()]"
        "(status outcome) {\n",
        "  log->when_durable(offset_t(0), [self = shared_from_this(), end = info.end_offset()]"
        "(status outcome) {\n",
        "broker 300",
    ),
    Bug(
        "a commit is answered before it is durable",
        "cpp/broker/partition_coordinator_log.cc",
        "    appended_to.log().when_durable(\n        *appended,\n",
        "    appended_to.log().when_durable(\n        offset_t(0),\n",
        "broker 300",
    ),
    Bug(
        "a replaced file's name is not synced",
        "cpp/io/file.cc",
        "  return disk.sync_directory(parent_of(path));\n",
        "  return {};\n",
        "storage 300",
    ),
]
