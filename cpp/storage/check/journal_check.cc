#include "storage/check/journal_check.h"

#include "storage/file_names.h"
#include "storage/journal/journal_checkpoint.h"
#include "storage/journal/journal_damage.h"
#include "storage/manager_state.h"

namespace ringlog::storage {

void journal_check::add_damage(std::string path, std::string text, std::string remedy) {
  report_.add({.severity = finding_severity::damage,
               .path = std::move(path),
               .text = std::move(text),
               .remedy = std::move(remedy)});
}

void journal_check::replay() {
  const auto known = read_checkpoint(outside_.disk, journal_directory_);
  if (!known.ok()) {
    return report_unreadable(known.failure());
  }
  found_.is_there = known->has_value();
  if (!found_.is_there || (*known)->clean) return;
  found_.is_open = true;
  log_manager_options options;
  options.directory = log_directory_;
  options.journal_directory = journal_directory_;
  options.takes_damaged_journal = true;
  const auto opened = log_manager::open(outside_, options);
  if (!opened.ok()) {
    return add_damage(journal_directory_, opened.failure().message,
                      "the next open is refused, too, and changes nothing");
  }
  found_.replayed = (*opened)->replayed();
  for (const auto& [number, log] : (*opened)->internals().table.logs) found_.logs[log.name] = log;
  report_replay();
}

void journal_check::report_unreadable(const error& why) {
  std::string path = join_path(journal_directory_, "checkpoint");
  std::string text = sentence_of(why, path);
  const auto holds = [&](std::string_view name) {
    const auto there = outside_.disk.exists(join_path(log_directory_, name));
    return there.ok() && *there;
  };
  if (holds(file_names::meta_properties) && holds(file_names::clean_shutdown)) {
    return report_.add({.severity = finding_severity::fault,
                        .path = std::move(path),
                        .text = std::move(text),
                        .remedy =
                            "nothing is lost: the log was closed, and the next open makes the "
                            "journal anew"});
  }
  add_damage(std::move(path), std::move(text),
             "bring it back from a copy; or move the journal away: the log goes on with what the "
             "segments hold, as they were checked here, without what only the journal has");
}

void journal_check::report_replay() {
  const replayed_journal& done = found_.replayed;
  report_.add({.path = journal_directory_,
               .text = fmt::format("it was not closed, and holds {} blocks with {} batches of {} "
                                   "partitions ({} bytes); the log was checked as the next open, "
                                   "or `ringlog recover`, makes it of them",
                                   done.blocks, done.batches, done.partitions, done.bytes)});
  if (done.damage != nullptr) report_damage(*done.damage);
}

void journal_check::report_damage(const journal_damage& damage) {
  add_damage(journal_directory_,
             fmt::format("blocks {} are missing or wrong, although they were complete: what was "
                         "acknowledged with them may be lost",
                         to_string(damage.blocks)),
             "until it is repaired or brought back from a copy the directory opens for reading "
             "only; a repair keeps of each partition what goes on without a gap");
  if (damage.nameless_entries > 0) {
    add_damage(journal_directory_,
               fmt::format("{} entries behind them are of partitions that a lost block named",
                           damage.nameless_entries),
               "they would be left out");
  }
  for (const auto& [name, doubt] : damage.logs) {
    finding found{.path = join_path(log_directory_, name.to_string()), .offset = doubt.end};
    if (doubt.lacks_batches()) {
      found.severity = finding_severity::damage;
      found.text = fmt::format("offsets {} to {} were acknowledged and are lost with the blocks",
                               doubt.end, doubt.resumes - 1);
      found.remedy = fmt::format("the log would end at offset {}: {} to {} stand behind the gap",
                                 doubt.end, doubt.resumes, doubt.resumed_end - 1);
    } else {
      found.text = "the log ends here as far as is known; the lost blocks may have had more of it";
    }
    report_.add(std::move(found));
  }
}

void journal_check::compare(const std::map<topic_partition, checked_partition>& checked) {
  for (const auto& [name, log] : found_.logs) {
    const auto one = checked.find(name);
    const offset_t end = one == checked.end() ? offset_t(0) : one->second.log_end;
    if (end >= log.end) continue;
    report_.add({.severity = finding_severity::damage,
                 .path = join_path(log_directory_, name.to_string()),
                 .offset = end,
                 .text = fmt::format("the journal says that everything below offset {} is in the "
                                     "segments, and they end at {}",
                                     log.end, end),
                 .remedy = "bring the log's segments back from a copy"});
  }
}

}  // namespace ringlog::storage
