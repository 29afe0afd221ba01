#include "metadata/metadata_log.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "metadata/image_builder.h"
#include "metadata/image_records.h"
#include "metadata/load.h"
#include "metadata/metadata_files.h"
#include "metadata/new_directory.h"
#include "metadata/quorum_state.h"
#include "metadata/record_batches.h"
#include "metadata/snapshot.h"

namespace ringlog::metadata {

namespace {

using records = std::vector<protocol::metadata_record>;

// Several batches take effect together only as a transaction (KIP-868).
records as_transaction(records&& inner, std::string name) {
  records all;
  all.reserve(inner.size() + 2);
  protocol::begin_transaction_record begin;
  begin.name = std::move(name);
  all.push_back({std::move(begin), 0});
  std::move(inner.begin(), inner.end(), std::back_inserter(all));
  all.push_back({protocol::end_transaction_record{}, 0});
  return all;
}

bool is_one_batch(bytes_view bytes) {
  const auto first = model::parse_batch(bytes);
  return first.ok() && first->has_value() && (*first)->size_in_bytes() == bytes.size();
}

status check_voters(const loaded_metadata& loaded, node_id_t node) {
  if (!loaded.voters) return {};
  for (const auto& voter : loaded.voters->voters) {
    if (voter.voter_id == node.value()) continue;
    return make_error(
        error_code::unsupported,
        "the metadata log belongs to a quorum with the controller {} besides node {}; "
        "only a directory of a single node can be opened",
        voter.voter_id, node);
  }
  return {};
}

}  // namespace

struct metadata_log::state : std::enable_shared_from_this<metadata_log::state> {
  state(const storage::services& given, storage::log_manager& logs, metadata_log_options chosen)
      : outside(given), log_directory(logs.directory()), options(std::move(chosen)) {}

  storage::services outside;
  const std::string log_directory;
  const metadata_log_options options;
  std::shared_ptr<storage::partition_log> log;
  leader_epoch_t epoch{0};
  std::optional<protocol::kraft_version_record> kraft_version;
  std::optional<protocol::voters_record> voters;
  std::atomic<std::int64_t> bytes_since_snapshot = 0;

  struct waiting_append {
    offset_t end;
    image_ptr after;
    callback<void(result<image_ptr>)> done;
  };

  std::mutex mutex;  // guards what follows; never held over a call of others
  image_ptr published;
  image_ptr appended;
  std::deque<waiting_append> waiting;  // in the order of their offsets
  storage::append_info last_append;
  std::shared_ptr<callback<void(const image_ptr&, const image_ptr&)>> listener;

  status begin(loaded_metadata&& loaded, storage::log_manager& logs);
  result<records> first_records(loaded_metadata& loaded);
  status write_quorum_state();
  status append_leader_change();
  status append_bytes(byte_buffer&& bytes, const batch_position& after, image_builder&& builder,
                      callback<void(result<image_ptr>)> done);
  status append(records&& appended_records, callback<void(result<image_ptr>)> done);
  void wait_for(const storage::append_info& info);
  void finish_append(offset_t end, const status& outcome);
  status write_snapshot(const image& source);
  void remove_snapshots_before(const snapshot_id& kept);
};

// What a directory without metadata begins with, also when the last node ended before it had
// written more than its election. Files that kafka-storage wrote are left alone.
result<records> metadata_log::state::first_records(loaded_metadata& loaded) {
  if (loaded.in_transaction) {
    protocol::abort_transaction_record abort;
    abort.reason = "the node ended within the transaction";
    return records{{std::move(abort), 0}};
  }
  if (loaded.image->feature_level(metadata_version_feature) > 0) return records{};
  if (!records_of(*loaded.image).empty()) {
    return make_error(error_code::corrupt, "the metadata log of {} has no level of {}",
                      log_directory, metadata_version_feature);
  }
  TRY_ASSIGN(records bootstrap, bootstrap_records(outside.disk, log_directory));
  TRY_ASSIGN(const bool formatted, outside.disk.exists(bootstrap_path(log_directory)));
  if (!formatted) {
    TRY_ASSIGN(const snapshot first,
               write_first_files(outside.disk, log_directory, options.node, options.directory_id,
                                 bootstrap, outside.clock.wall_ms()));
    kraft_version = first.kraft_version;
    voters = first.voters;
  }
  return as_transaction(std::move(bootstrap), "Bootstrap records");
}

status metadata_log::state::write_quorum_state() {
  quorum_state now;
  now.leader = options.node;
  now.epoch = epoch;
  now.data_version = kraft_version && kraft_version->k_raft_version > 0 ? 1 : 0;
  return io::replace_file(outside.disk, quorum_state_path(log_directory), as_bytes(now.to_json()));
}

status metadata_log::state::append_leader_change() {
  protocol::leader_change_message change;
  change.leader_id = options.node.value();
  change.voters.emplace_back().voter_id = options.node.value();
  change.granting_voters.emplace_back().voter_id = options.node.value();
  control_batch batch(outside.clock.wall_ms());
  TRY(batch.add(model::control_type::leader_change, change));
  batch_position position{log->offsets().log_end, epoch};
  byte_buffer bytes = std::move(batch).finish(position);
  return append_bytes(std::move(bytes), position, image_builder(*appended),
                      [](const result<image_ptr>&) {});
}

status metadata_log::state::begin(loaded_metadata&& loaded, storage::log_manager& logs) {
  TRY(check_voters(loaded, options.node));
  log = std::move(loaded.log);
  TRY_ASSIGN(const auto before, read_quorum_state(outside.disk, quorum_state_path(log_directory)));
  epoch = std::max({before ? before->epoch : leader_epoch_t(0), log->latest_leader_epoch(),
                    loaded.snapshot_at.epoch}) +
          1;
  logs.set_metadata_epoch(epoch);
  TRY(logs.claim());
  loaded.log = log;
  kraft_version = loaded.kraft_version;
  voters = loaded.voters;
  published = appended = loaded.image;
  bytes_since_snapshot = loaded.bytes_read;
  if (loaded.bytes_read > options.bytes_between_snapshots) TRY(write_snapshot(*published));
  TRY_ASSIGN(records first, first_records(loaded));
  TRY(outside.disk.make_directories(metadata_directory(log_directory)));
  TRY(write_quorum_state());
  TRY(append_leader_change());
  if (!first.empty()) TRY(append(std::move(first), [](const result<image_ptr>&) {}));
  return {};
}

status metadata_log::state::append(records&& given, callback<void(result<image_ptr>)> done) {
  const std::int64_t now = outside.clock.wall_ms();
  const batch_position begin{log->offsets().log_end, epoch};
  batch_position end = begin;
  TRY_ASSIGN(byte_buffer bytes, encode_batches(given, now, end));
  if (!is_one_batch(bytes)) {
    given = as_transaction(std::move(given), "Several batches");
    end = begin;
    TRY_ASSIGN(bytes, encode_batches(given, now, end));
  }
  image_builder builder(*appended);
  for (const auto& record : given) TRY(builder.apply(record));
  return append_bytes(std::move(bytes), end, std::move(builder), std::move(done));
}

status metadata_log::state::append_bytes(byte_buffer&& bytes, const batch_position& after,
                                         image_builder&& builder,
                                         callback<void(result<image_ptr>)> done) {
  builder.set_position(after.next_offset, epoch, outside.clock.wall_ms());
  storage::append_options how;
  how.leader_epoch = epoch;
  how.origin = storage::append_origin::coordinator;
  how.trusted = true;
  const auto size = static_cast<std::int64_t>(bytes.size());
  TRY_ASSIGN(const storage::append_info info, log->append_as_leader(std::move(bytes), how));
  bytes_since_snapshot += size;
  CHECK(info.end_offset() == after.next_offset, "somebody else appended to the metadata log",
        info.end_offset().value(), after.next_offset.value());
  {
    const std::lock_guard lock(mutex);
    appended = std::move(builder).finish();
    waiting.push_back({after.next_offset, appended, std::move(done)});
    last_append = info;
  }
  wait_for(info);
  return {};
}

void metadata_log::state::wait_for(const storage::append_info& info) {
  log->when_durable(info, [self = shared_from_this(), end = info.end_offset()](status outcome) {
    self->finish_append(end, outcome);
  });
}

// Appends become durable in order, so the first that waits is the first to be answered; a failure
// is the answer of all.
void metadata_log::state::finish_append(offset_t end, const status& outcome) {
  while (true) {
    waiting_append first;
    image_ptr before;
    decltype(listener) told;
    {
      const std::lock_guard lock(mutex);
      if (waiting.empty() || (outcome.ok() && waiting.front().end > end)) break;
      first = std::move(waiting.front());
      waiting.pop_front();
      before = published;
      told = listener;
      if (outcome.ok()) published = first.after;
    }
    if (outcome.ok() && told) (*told)(before, first.after);
    if (outcome.ok()) {
      first.done(first.after);
    } else {
      first.done(outcome.failure());
    }
  }
  if (!outcome.ok()) {
    const std::lock_guard lock(mutex);
    appended = published;
  }
}

status metadata_log::state::write_snapshot(const image& source) {
  const snapshot_id id{source.next_offset, source.epoch};
  if (id.end_offset == offset_t(0)) return {};
  snapshot content;
  content.last_timestamp = source.last_timestamp;
  content.kraft_version = kraft_version;
  content.voters = voters;
  content.records = records_of(source);
  TRY_ASSIGN(const byte_buffer bytes, encode_snapshot(content, id.epoch, outside.clock.wall_ms()));
  TRY(io::replace_file(outside.disk, metadata_directory(log_directory) + "/" + id.file_name(),
                       bytes));
  bytes_since_snapshot = 0;
  remove_snapshots_before(id);
  return {};
}

// The log is there from its start, so nobody needs them. The first one names the voters of a new
// directory and stays.
void metadata_log::state::remove_snapshots_before(const snapshot_id& kept) {
  const std::string directory = metadata_directory(log_directory);
  const auto entries = outside.disk.list_names(directory);
  if (!entries.ok()) return;
  for (const io::directory_entry& entry : *entries) {
    const auto id = snapshot_id::parse(entry.name);
    if (!id || *id == snapshot_id{} || *id >= kept) continue;
    const status removed = outside.disk.remove(directory + "/" + entry.name);
    if (!removed.ok()) outside.sink.write(log_level::warning, removed.failure().message);
  }
}

result<std::unique_ptr<metadata_log>> metadata_log::open(storage::services outside,
                                                         storage::log_manager& logs,
                                                         metadata_log_options options) {
  TRY_ASSIGN(loaded_metadata loaded, load_metadata(outside, logs));
  auto opened = std::make_shared<state>(outside, logs, std::move(options));
  TRY(opened->begin(std::move(loaded), logs));
  return std::unique_ptr<metadata_log>(new metadata_log(std::move(opened)));
}

metadata_log::metadata_log(std::shared_ptr<state> opened) : state_(std::move(opened)) {}
metadata_log::~metadata_log() = default;

image_ptr metadata_log::published() const {
  const std::lock_guard lock(state_->mutex);
  return state_->published;
}

image_ptr metadata_log::appended() const {
  const std::lock_guard lock(state_->mutex);
  return state_->appended;
}

leader_epoch_t metadata_log::epoch() const { return state_->epoch; }

status metadata_log::append(std::vector<protocol::metadata_record> given,
                            callback<void(result<image_ptr>)> done) {
  CHECK(!given.empty(), "no records to append");
  return state_->append(std::move(given), std::move(done));
}

void metadata_log::when_published(callback<void(result<image_ptr>)> done) {
  storage::append_info last;
  {
    const std::lock_guard lock(state_->mutex);
    last = state_->last_append;
    state_->waiting.push_back({last.end_offset(), state_->appended, std::move(done)});
  }
  state_->wait_for(last);
}

void metadata_log::set_listener(
    callback<void(const image_ptr& before, const image_ptr& after)> listener) {
  using held = callback<void(const image_ptr&, const image_ptr&)>;
  const std::lock_guard lock(state_->mutex);
  state_->listener = listener ? std::make_shared<held>(std::move(listener)) : nullptr;
}

status metadata_log::write_snapshot() { return state_->write_snapshot(*published()); }

status metadata_log::write_due_snapshot() {
  const bool is_due = state_->bytes_since_snapshot > state_->options.bytes_at_end_max;
  return is_due ? write_snapshot() : status();
}

}  // namespace ringlog::metadata
