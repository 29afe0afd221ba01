#include "storage_run.h"

#include <set>

#include "coverage.h"
#include "crash_run.h"
#include "journal_damage.h"
#include "partition_client.h"
#include "storage/log_manager.h"
#include "storage_port.h"

namespace ringlog::sim {
namespace {

using storage::log_manager;

constexpr std::uint8_t partitions = 3;
constexpr int steps_max = 250;

storage::log_config small_segments() {
  storage::log_config small;
  small.segment_bytes = 1 * limits::MiB;
  small.segment_index_bytes = 128;  // an index of sixteen entries makes small segments
  small.index_interval_bytes = 512;
  small.file_delete_delay_ms = 1'000;
  small.retention_ms = -1;
  return small;
}

storage::directory_identity identity() {
  return {.cluster_id = "simulated", .node_id = node_id_t(1), .directory_id = uuid::reserved(99)};
}

class storage_run final : public crash_run {
 public:
  storage_run(std::uint64_t seed, const run_plan& plan, io::sim::event_counts& events)
      : crash_run(seed, plan, storage_places, {.places_share = 4, .operations_max = 1000}, events) {
    for (std::uint8_t i = 0; i < partitions; ++i) {
      topic_ids_.push_back(uuid::make_random(world_.random()));
      clients_.push_back(make_client(name_of(i).to_string(), i));
    }
    renew_scratch();
  }

 private:
  // ---- what is played

  enum class trouble : std::uint8_t { none, full_disk, failing_writes, failing_syncs };

  static topic_partition name_of(std::uint8_t i) { return {"orders", partition_id_t(i)}; }
  static topic_partition scratch_name() { return {"scratch", partition_id_t(0)}; }

  std::unique_ptr<partition_client> make_client(std::string name, std::int64_t producer) {
    return std::make_unique<partition_client>(std::move(name), producer_id_t(producer),
                                              world_.random(), plan_.ack_at_once);
  }

  // The scratch log is deleted and made again under the same name, now and then.
  void renew_scratch() {
    if (scratch_ != nullptr) old_clients_.push_back(std::move(scratch_));
    scratch_id_ = uuid::make_random(world_.random());
    scratch_ = make_client(fmt::format("scratch, made {} times", ++scratch_made_), 100);
    scratch_going_ = scratch_gone_ = false;
  }

  std::uint64_t operations() const override {
    std::uint64_t sum = scratch_->counted().operations + other_operations_;
    for (const auto& client : clients_) sum += client->counted().operations;
    return sum;
  }

  violation last_boot() override { return world_.random().one_in(4) ? damaged_boot() : open(); }

  violation use() override {
    if (violation found = open()) return found;
    crashes_.set_in_use(true);
    const auto begins = static_cast<int>(world_.random().below(steps_max));
    const auto ends = begins + static_cast<int>(world_.random().below(100));
    const auto kind =
        static_cast<trouble>(std::min<std::uint64_t>(world_.random().below(20), 4) % 4);
    for (int step = 0; step < steps_max && !disk_.is_off(); ++step) {
      if (step == begins) begin(kind);
      if (step == ends && kind == trouble::full_disk) {
        if (violation found = heal_disk()) return found;
      }
      if (violation found = one_step()) return found;
      if (violation found = broken_by_answers()) return found;
      if (is_disk_failing()) return end_with_a_failing_disk();
    }
    return heal_disk();
  }

  // ---- troubles of the disk

  void begin(trouble kind) {
    if (kind == trouble::failing_writes) disk_.faults.write_error_one_in = 40;
    if (kind == trouble::failing_syncs) disk_.faults.sync_error_one_in = 20;
    if (kind != trouble::full_disk) return;
    disk_.faults.capacity_bytes = disk_.used_bytes() + world_.random().below(100'000);
    excuse_failures();
  }

  void excuse_failures() {
    for (const auto& client : clients_) client->excuse_failures();
    scratch_->excuse_failures();
    is_excused_ = true;
  }

  // With room again, everything goes on within moments.
  violation heal_disk() {
    if (disk_.faults.capacity_bytes == UINT64_MAX || disk_.is_off()) return std::nullopt;
    disk_.faults.capacity_bytes = UINT64_MAX;
    world_.run_for(std::chrono::seconds(10));
    if (disk_.is_off() || is_disk_failing()) return std::nullopt;
    if (const status healthy = logs_->health(); !healthy.ok()) {
      return "a full disk made the directory read-only: " + healthy.failure().message;
    }
    for (const auto& client : clients_) {
      const std::uint64_t refused = client->counted().refused_full_disk;
      client->send(100);
      if (client->counted().refused_full_disk != refused) {
        return "an append is refused although there is room again";
      }
    }
    ++events_["full disk: healed"];
    return std::nullopt;
  }

  // Reads go on; what was acknowledged must survive the machine's restart.
  violation end_with_a_failing_disk() {
    excuse_failures();
    world_.run_for(milliseconds(world_.random().below(100)));
    if (disk_.is_off()) return std::nullopt;
    for (const auto& client : clients_) {
      if (violation found = client->check_readable()) return found;
    }
    ++events_[logs_->health().ok() ? "failing disk: survived" : "failing disk: read-only"];
    disk_.power_off();
    return std::nullopt;
  }

  // A block that others call complete is damaged: nobody may take it for the torn end.
  violation damaged_boot() {
    if (world_.random().one_in(2)) crashes_.crash_at_any(100);
    const violation found = unless_off(use());
    crashes_.disarm();
    if (found) return found;
    stop();
    disk_.power_on();
    const storage::directory_identity owner = identity();
    const auto damaged = damage_a_complete_block(
        disk_, "/data/journal", storage::journal_identity::of(owner.directory_id, owner.cluster_id),
        world_.random());
    if (!damaged.ok()) return "damage: " + damaged.failure().message;
    if (!*damaged) return open();
    disk_.faults = {};
    auto opened = open_manager();
    if (opened.ok()) return "a damaged block of the journal was taken for its end";
    // A bit in the features makes it a block of a newer version.
    if (opened.code() != error_code::corrupt && opened.code() != error_code::unsupported) {
      return "a damaged block of the journal: " + opened.failure().message;
    }
    ++events_["recovery: damage was refused"];
    return std::nullopt;
  }

  // ---- one boot

  result<std::unique_ptr<log_manager>> open_manager() {
    const storage::services outside{disk_, engine_, world_.time(), world_.random(), sink_};
    storage::log_manager_options options;
    options.directory = "/data/log";
    options.journal_directory = "/data/journal";
    options.journal_bytes_max = 2 * limits::MiB;
    options.single_syncs_max =
        world_.random().one_in(2) ? 0 : 1000;  // all as one, or each by itself
    options.format = identity();
    TRY(disk_.make_directories("/data/log"));
    TRY(disk_.sync_directory("/data"));
    TRY(disk_.sync_directory("/"));
    return log_manager::open(outside, options);
  }

  violation open_all() override {
    is_excused_ = false;
    answer_broke_.reset();
    auto opened = open_manager();
    if (!opened.ok()) return "open: " + opened.failure().message;
    logs_ = std::move(opened).value();
    ++events_[logs_->had_clean_shutdown() ? "opened clean" : "opened unclean"];
    for (std::uint8_t i = 0; i < partitions; ++i) {
      if (violation found = attach(*clients_[i], name_of(i), topic_ids_[i])) return found;
    }
    return open_scratch();
  }

  violation attach(partition_client& client, const topic_partition& name, const uuid& id) {
    auto log = logs_->open_log(name, id, small_segments());
    if (!log.ok()) return "open a log: " + log.failure().message;
    return client.attach(std::make_unique<storage_port>(*log));
  }

  violation open_scratch() {
    bool is_there = false;
    const auto unopened = logs_->unopened();
    if (!unopened.ok()) return "list the logs: " + unopened.failure().message;
    for (const topic_partition& found : *unopened) {
      if (found != scratch_name()) continue;
      const auto id = logs_->stored_topic_id(found);
      if (id.ok() && *id && deleted_ids_.contains(**id)) return "a deleted log is back";
      is_there = true;
    }
    if (scratch_gone_ || (scratch_going_ && !is_there)) forget_scratch();
    scratch_going_ = false;
    return attach(*scratch_, scratch_name(), scratch_id_);
  }

  void forget_scratch() {
    deleted_ids_.insert(scratch_id_);
    renew_scratch();
  }

  violation one_step() {
    random_source& random = world_.random();
    partition_client& client =
        random.one_in(5) && !scratch_going_ ? *scratch_ : *clients_[random.below(partitions)];
    const std::uint64_t choice = random.below(100);
    if (choice < 70) {
      client.send(size_of_records());
    } else if (choice < 74) {
      client.delete_some_records();
    } else if (choice < 77) {
      client.cut_some_records();
    } else if (choice < 80) {
      logs_->checkpoint([](status) {});
    } else if (choice < 82) {
      logs_->apply_retention([](const result<std::int64_t>&) {});
    } else if (choice < 85) {
      if (violation found = delete_or_make_scratch()) return found;
    } else if (choice < 88) {
      if (violation found = client.observe_high_watermark()) return found;
    } else if (choice < 93) {
      world_.run_for(milliseconds(random.below(100)));
    } else if (choice < 95) {
      world_.run_for(std::chrono::seconds(random.below(100)));
    }
    for (std::uint64_t tasks = random.below(6); tasks > 0; --tasks) world_.run_one();
    return std::nullopt;
  }

  // Some fill a good part of the journal, and go over several blocks.
  std::uint64_t size_of_records() {
    const std::uint64_t choice = world_.random().below(100);
    if (choice < 94) return 700;
    return choice < 99 ? 30'000 : 150'000;
  }

  violation delete_or_make_scratch() {
    if (scratch_gone_) {
      forget_scratch();
      ++other_operations_;
      ++events_["logs made again under the same name"];
      return unless_off(attach(*scratch_, scratch_name(), scratch_id_));
    }
    if (scratch_going_) return std::nullopt;
    scratch_going_ = true;
    ++other_operations_;
    scratch_->excuse_failures();
    logs_->delete_log(scratch_name(), [this](const status& outcome) {
      scratch_gone_ = outcome.ok();
      if (outcome.ok() || is_excused_) return;
      answer_broke_ = "deleting a log failed: " + outcome.failure().message;
    });
    return std::nullopt;
  }

  // Answers that a dying machine gave do not count.
  violation broken_by_answers() const {
    if (disk_.is_off() || is_disk_failing()) return std::nullopt;
    for (const auto& client : clients_) {
      if (client->broken_by_answers()) return client->broken_by_answers();
    }
    return answer_broke_ ? answer_broke_ : scratch_->broken_by_answers();
  }

  violation close() override {
    if (is_disk_failing()) return std::nullopt;
    crashes_.set_in_use(false);
    std::optional<status> closed;
    logs_->close([&](status outcome) { closed = std::move(outcome); });
    const bool answered = world_.run_until([&] { return closed || disk_.is_off(); });
    if (disk_.is_off()) {
      ++events_["crash during a clean close"];
      return std::nullopt;
    }
    if (is_disk_failing()) {
      disk_.power_off();
      return std::nullopt;
    }
    if (!answered) return "a clean close does not end";
    if (!closed->ok()) return "close: " + closed->failure().message;
    ++events_["clean closes"];
    return broken_by_answers();
  }

  void drop_process() override {
    for (const auto& client : clients_) client->detach();
    scratch_->detach();
    for (const auto& client : old_clients_) client->detach();
    logs_.reset();
  }

  void count_own_events() override {
    for (const auto& client : clients_) {
      const partition_client::counts& of = client->counted();
      events_["client operations"] += of.operations;
      events_["records acknowledged"] += static_cast<std::uint64_t>(client->acknowledged());
      events_["resent batches known as duplicates"] += of.duplicates;
      events_["appends refused: full disk"] += of.refused_full_disk;
      events_["appends refused: full journal"] += of.refused_full_journal;
      events_["appends after a refusal"] += of.appended_after_refusal;
      events_["cuts answered"] += of.cuts;
      events_["log starts answered"] += of.log_starts;
    }
  }

  std::vector<uuid> topic_ids_;
  std::vector<std::unique_ptr<partition_client>> clients_;
  std::vector<std::unique_ptr<partition_client>> old_clients_;
  std::unique_ptr<partition_client> scratch_;
  uuid scratch_id_;
  int scratch_made_ = 0;
  bool scratch_going_ = false;  // its deletion was asked for
  bool scratch_gone_ = false;   // and answered
  std::set<uuid> deleted_ids_;
  violation answer_broke_;
  std::unique_ptr<log_manager> logs_;
  bool is_excused_ = false;
  std::uint64_t other_operations_ = 0;
};

}  // namespace

violation play_storage(std::uint64_t seed, const run_plan& plan, io::sim::event_counts& events) {
  return storage_run(seed, plan, events).play();
}

}  // namespace ringlog::sim
