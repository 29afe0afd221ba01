#include "metadata/check/metadata_check.h"

#include <algorithm>
#include <vector>

#include "metadata/image_records.h"
#include "metadata/metadata_files.h"
#include "metadata/quorum_state.h"
#include "metadata/record_batches.h"
#include "storage/file_names.h"

namespace ringlog::metadata {

using storage::finding_severity;

namespace {

constexpr std::string_view from_copy = "bring it back from a copy, or from another controller";

bool names_compact(std::string_view policy) {
  return policy.find("compact") != std::string_view::npos;
}

}  // namespace

metadata_check::metadata_check(io::file_system& disk, std::string log_directory,
                               storage::check_report& report)
    : disk_(disk), log_directory_(std::move(log_directory)), report_(report) {
  builder_.emplace(metadata::image{});
}

void metadata_check::load_snapshots() {
  const auto bootstrap = disk_.exists(bootstrap_path(log_directory_));
  if (bootstrap.ok() && *bootstrap) check_snapshot(bootstrap_path(log_directory_), std::nullopt);
  const auto entries = disk_.list(metadata_directory(log_directory_));
  if (!entries.ok()) return;  // no metadata log in this directory
  std::vector<snapshot_id> found;
  for (const io::directory_entry& entry : *entries) {
    if (const auto id = snapshot_id::parse(entry.name)) found.push_back(*id);
  }
  std::ranges::sort(found);
  for (const snapshot_id& id : found) {
    // The last one is the image's start.
    check_snapshot(metadata_directory(log_directory_) + "/" + id.file_name(),
                   id == found.back() ? std::optional(id) : std::nullopt);
  }
}

void metadata_check::check_snapshot(const std::string& path, std::optional<snapshot_id> id) {
  image_builder apart{metadata::image{}};
  image_builder& builder = id ? *builder_ : apart;
  const auto load = [&]() -> status {
    TRY_ASSIGN(const auto content, read_snapshot(disk_, path));
    if (!content) return make_error(error_code::not_found, "{}: it went away", path);
    for (const auto& record : content->records) TRY(builder.apply(record));
    if (id) builder.set_position(id->end_offset, id->epoch, content->last_timestamp);
    return {};
  };
  const status loaded = load();
  if (loaded.ok() && id) {
    has_snapshot_ = true;
    next_ = id->end_offset;
    epoch_ = id->epoch;
  }
  if (loaded.ok()) return;
  if (id) broken_ = true;
  report_.add({.severity = finding_severity::damage,
               .path = path,
               .text = storage::sentence_of(loaded.failure(), path),
               .remedy = std::string(from_copy)});
}

status metadata_check::take(const model::batch_view& batch) {
  epoch_ = std::max(epoch_, batch.partition_leader_epoch());
  if (broken_ || batch.last_offset() < next_) return {};
  // Behind a gap records cannot be applied; that it is there was reported.
  if (batch.base_offset() > next_) broken_ = true;
  if (broken_) return {};
  const status applied = for_each_record(
      batch.bytes(),
      [](const model::batch_view&, model::control_type, bytes_view) { return status(); },
      [&](const model::batch_view&, const protocol::metadata_record& record) {
        const auto* removed = std::get_if<protocol::remove_topic_record>(&record.message);
        if (removed != nullptr) removed_topics_.insert(removed->topic_id);
        return builder_->apply(record);
      });
  broken_ = !applied.ok();
  next_ = batch.next_offset();
  builder_->set_position(next_, batch.partition_leader_epoch(), batch.max_timestamp());
  return applied;
}

void metadata_check::finish(const std::optional<storage::checked_partition>& log) {
  if (!log) {
    report_.add({.path = metadata_directory(log_directory_),
                 .text = "no metadata log is in this directory: partitions are not compared with "
                         "metadata"});
    return;
  }
  check_quorum_state(*log);
  const bool reaches = has_snapshot_ ? log->log_start <= next_ && log->log_end >= next_
                                     : log->log_start == offset_t(0);
  if (!reaches && !broken_) {
    broken_ = true;
    report_.add({.severity = finding_severity::damage,
                 .path = metadata_directory(log_directory_),
                 .offset = log->log_start,
                 .text = fmt::format("the metadata log has offsets {} to {}, its newest snapshot "
                                     "ends at {}: what is between is missing",
                                     log->log_start, log->log_end, next_),
                 .remedy = std::string(from_copy)});
  }
  if (broken_) return;
  image_ = std::move(*builder_).finish();
  const std::int16_t level = image_->feature_level(metadata_version_feature);
  if (level <= metadata_version_max) return;
  report_.add({.path = metadata_directory(log_directory_),
               .text = fmt::format("metadata.version is {}, the newest known here is {}: a newer "
                                   "Kafka wrote the directory",
                                   level, metadata_version_max)});
}

void metadata_check::check_quorum_state(const storage::checked_partition& log) {
  const std::string path = quorum_state_path(log_directory_);
  const auto state = read_quorum_state(disk_, path);
  if (!state.ok() || !*state) {
    const bool is_new = state.ok() && log.batches == 0;
    if (is_new) return;
    report_.add({.severity = finding_severity::fault,
                 .path = path,
                 .text = state.ok() ? std::string("it is missing")
                                    : storage::sentence_of(state.failure(), path),
                 .remedy = "remove it: opening the directory with ringlog writes it again"});
  } else if ((*state)->epoch < epoch_) {
    report_.add({.severity = finding_severity::fault,
                 .path = path,
                 .text = fmt::format("it is of epoch {}, the metadata log of epoch {}",
                                     (*state)->epoch, epoch_),
                 .remedy = "opening the directory with ringlog writes it again"});
  }
}

std::string metadata_check::policy_of(const std::string& topic) const {
  const auto set_on = [&](config_resource resource, std::string_view name) {
    const config_values& values = image_->configs_of(resource);
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
  std::string policy = set_on({config_resource_type::topic, topic}, "cleanup.policy");
  if (policy.empty()) policy = set_on({config_resource_type::broker, ""}, "log.cleanup.policy");
  return policy;
}

bool metadata_check::is_compacted(const std::string& topic) const {
  return image_ == nullptr || names_compact(policy_of(topic));
}

void metadata_check::compare(const storage::log_directory_check& directory,
                             const std::map<topic_partition, storage::checked_partition>& checked) {
  if (image_ == nullptr) return;
  for (const auto& [name, one] : checked) {
    if (name != storage::metadata_partition) compare_found(directory, one);
  }
  for (const auto& [name, known_end] : directory.known_ends()) {
    if (!checked.contains(name)) compare_missing(directory, name, known_end);
  }
}

void metadata_check::compare_journal(const storage::checked_journal& journal) {
  if (image_ == nullptr) return;
  for (const auto& [name, log] : journal.logs) {
    if (name == storage::metadata_partition || removed_topics_.contains(log.topic_id)) continue;
    const topic_ptr topic = image_->find_topic(log.topic_id);
    if (topic != nullptr && topic->find_partition(name.partition) != nullptr) continue;
    report_.add({.severity = finding_severity::damage,
                 .path = log_directory_ + "/" + name.to_string(),
                 .text = fmt::format("the journal has entries of this partition, of the topic with "
                                     "id {}, and metadata neither has it nor had it",
                                     log.topic_id),
                 .remedy = std::string(from_copy)});
  }
}

void metadata_check::compare_found(const storage::log_directory_check& directory,
                                   const storage::checked_partition& one) {
  const topic_ptr topic = image_->find_topic(one.name.topic);
  const partition_ptr partition =
      topic == nullptr ? nullptr : topic->find_partition(one.name.partition);
  std::string text;
  if (topic == nullptr) {
    text = "metadata has no such topic";
  } else if (one.topic_id && *one.topic_id != topic->id) {
    text = fmt::format("it is of the topic with id {}, metadata has {} under that name",
                       *one.topic_id, topic->id);
  } else if (partition == nullptr) {
    text = fmt::format("metadata has {} partitions of the topic", topic->partitions.size());
  } else if (directory.identity() && !partition->has_replica(directory.identity()->node_id)) {
    text = fmt::format("metadata has no replica of it on node {}", directory.identity()->node_id);
  } else {
    return;
  }
  report_.add(
      {.severity = directory.is_clean() ? finding_severity::fault : finding_severity::note,
       .path = one.directory,
       .text = text + ": the next open sets the directory aside as '-stray'",
       .remedy = directory.is_clean() ? "if the records are wanted, copy them before" : ""});
}

void metadata_check::compare_missing(const storage::log_directory_check& directory,
                                     const topic_partition& name, offset_t known_end) {
  const topic_ptr topic = image_->find_topic(name.topic);
  const partition_ptr partition =
      topic == nullptr ? nullptr : topic->find_partition(name.partition);
  const bool is_ours =
      partition != nullptr &&
      (!directory.identity() || partition->has_replica(directory.identity()->node_id));
  if (!is_ours || known_end == offset_t(0)) return;
  const bool clean = directory.is_clean();
  report_.add({.severity = clean ? finding_severity::damage : finding_severity::fault,
               .path = log_directory_ + "/" + name.to_string(),
               .offset = known_end,
               .text = fmt::format("the directory is missing, and a checkpoint says that the log "
                                   "went up to offset {}{}",
                                   known_end,
                                   clean ? "" : "; or the topic was made anew just before the end"),
               .remedy = "bring the directory back from a copy"});
}

}  // namespace ringlog::metadata
