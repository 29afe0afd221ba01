#include <gtest/gtest.h>

#include "partition_client.h"
#include "run.h"
#include "storage/log_manager.h"

// Real storage on a simulated disk: random appends, deletions, checkpoints and pauses, ended by a
// crash at a random operation or by a clean close; then the next boot must find what was promised.
namespace ringlog::sim {
namespace {

using storage::log_manager;

class storage_port final : public log_port {
 public:
  explicit storage_port(std::shared_ptr<storage::partition_log> log) : log_(std::move(log)) {}

  void append(byte_buffer batch, callback<void(result<appended>)> done) override {
    const auto info = log_->append_as_leader(std::move(batch), {});
    if (!info.ok()) return done(info.failure());
    log_->when_durable(*info, [info = *info, done = std::move(done)](status durable) mutable {
      if (!durable.ok()) return done(std::move(durable.failure()));
      done(appended{info.first_offset.value(), info.duplicate});
    });
  }

  void delete_records(std::int64_t before, callback<void(result<std::int64_t>)> done) override {
    log_->delete_records(offset_t(before),
                         [done = std::move(done)](result<offset_t> moved) mutable {
                           if (!moved.ok()) return done(std::move(moved.failure()));
                           done(moved->value());
                         });
  }

  result<bounds> ask_bounds() override {
    const storage::log_offsets offsets = log_->offsets();
    return bounds{offsets.log_start.value(), offsets.log_end.value()};
  }

  result<std::vector<shared_bytes>> read(std::int64_t from, std::int64_t bytes_max) override {
    TRY_ASSIGN(storage::log_read read,
               log_->read(offset_t(from), bytes_max, storage::read_bound::log_end));
    return std::move(read.batches);
  }

 private:
  std::shared_ptr<storage::partition_log> log_;
};

struct storage_plan {
  bool ack_at_once = false;  // the planted bug of the test's own client
  io::sim::fault_plan faults;
};

class storage_run {
 public:
  storage_run(std::uint64_t seed, const storage_plan& plan, io::sim::event_counts& events)
      : events_(events), world_(seed), disk_(world_), engine_(world_.make_actor()) {
    disk_.faults = plan.faults;
    for (std::uint8_t i = 0; i < partitions; ++i) {
      topic_ids_.push_back(uuid::make_random(world_.random()));
      clients_.push_back(std::make_unique<partition_client>(
          name_of(i).to_string(), producer_id_t(i), world_.random(), plan.ack_at_once));
    }
  }

  violation play() {
    violation found = boots();
    stop();
    for (const auto& client : clients_) {
      events_["records acknowledged"] += static_cast<std::uint64_t>(client->acknowledged());
      events_["resent batches known as duplicates"] += client->duplicates();
    }
    add(events_, disk_.events());
    return found;
  }

 private:
  static constexpr std::uint8_t partitions = 3;
  static constexpr int boots_max = 5;
  static constexpr int steps_max = 150;

  static topic_partition name_of(std::uint8_t i) { return {"orders", partition_id_t(i)}; }

  static storage::log_config config() {
    storage::log_config small;
    small.segment_bytes = 8192;
    small.segment_index_bytes = 1024;
    small.index_interval_bytes = 512;
    small.file_delete_delay_ms = 1'000;
    small.retention_ms = -1;
    return small;
  }

  violation boots() {
    for (int boot = 0; boot < boots_max; ++boot) {
      const bool crashes = !world_.random().one_in(5);
      if (crashes) crash_after(disk_, world_.random().below(600), events_);
      if (violation found = one_boot()) return found;
      disk_.observer = nullptr;
      if (disk_.is_off()) {
        stop();
        disk_.power_on();
        ++events_["boots after a crash"];
      }
    }
    if (violation found = open()) return found;  // the last word
    return std::nullopt;
  }

  violation one_boot() {
    if (violation found = open()) return found;
    for (int step = 0; step < steps_max && !disk_.is_off(); ++step) {
      if (violation found = one_step()) return found;
    }
    return disk_.is_off() ? std::nullopt : close();
  }

  // Failures while the machine is off are its own.
  violation fail_unless_off(std::string_view what, const error& failure) {
    if (disk_.is_off()) return std::nullopt;
    return fmt::format("{}: {}", what, failure.message);
  }

  violation open() {
    const storage::services outside{disk_, engine_, world_.time(), world_.random(), sink_};
    storage::log_manager_options options;
    options.directory = "/data/log";
    options.journal_directory = "/data/journal";
    options.journal_bytes_max = 2 * limits::MiB;
    options.format = storage::directory_identity{
        .cluster_id = "simulated", .node_id = node_id_t(1), .directory_id = uuid::reserved(99)};
    const status made = make_directory();
    if (!made.ok()) return fail_unless_off("make the directory", made.failure());
    auto opened = log_manager::open(outside, options);
    if (!opened.ok()) return fail_unless_off("open", opened.failure());
    logs_ = std::move(opened).value();
    ++events_[logs_->had_clean_shutdown() ? "opened clean" : "opened unclean"];
    for (std::uint8_t i = 0; i < partitions; ++i) {
      auto log = logs_->open_log(name_of(i), topic_ids_[i], config());
      if (!log.ok()) return fail_unless_off("open a log", log.failure());
      violation found = clients_[i]->attach(std::make_unique<storage_port>(*log));
      if (found && !disk_.is_off()) return found;
    }
    return std::nullopt;
  }

  status make_directory() {
    TRY(disk_.make_directories("/data/log"));
    TRY(disk_.sync_directory("/data"));
    return disk_.sync_directory("/");
  }

  violation one_step() {
    random_source& random = world_.random();
    partition_client& client = *clients_[random.below(partitions)];
    const std::uint64_t choice = random.below(100);
    if (choice < 80) {
      client.send();
    } else if (choice < 85) {
      client.delete_some_records();
    } else if (choice < 90) {
      logs_->checkpoint([](status) {});
    } else if (choice < 95) {
      world_.run_for(milliseconds(random.below(100)));
    } else if (choice < 97) {
      world_.run_for(std::chrono::seconds(random.below(100)));
    }
    for (std::uint64_t tasks = random.below(6); tasks > 0; --tasks) world_.run_one();
    return broken_by_answers();
  }

  // Answers that a dying machine gave do not count.
  violation broken_by_answers() const {
    if (disk_.is_off()) return std::nullopt;
    for (const auto& client : clients_) {
      if (client->broken_by_answers()) return client->broken_by_answers();
    }
    return std::nullopt;
  }

  violation close() {
    std::optional<status> closed;
    logs_->close([&](status outcome) { closed = std::move(outcome); });
    const bool answered = world_.run_until([&] { return closed || disk_.is_off(); });
    if (disk_.is_off()) return std::nullopt;
    if (!answered) return "a clean close does not end";
    if (!closed->ok()) return fail_unless_off("close", closed->failure());
    ++events_["clean closes"];
    stop();
    return broken_by_answers();
  }

  // The process ends, whatever it was doing.
  void stop() {
    world_.drop_all();
    for (const auto& client : clients_) client->detach();
    logs_.reset();
    world_.drop_all();
  }

  io::sim::event_counts& events_;
  io::sim::world world_;
  io::sim::disk disk_;
  io::sim::actor& engine_;
  null_log_sink sink_;
  std::vector<uuid> topic_ids_;
  std::vector<std::unique_ptr<partition_client>> clients_;
  std::unique_ptr<log_manager> logs_;
};

std::optional<std::string> play(std::uint64_t runs, const storage_plan& plan,
                                io::sim::event_counts& events) {
  return find_violation(runs, events, [&](std::uint64_t seed, io::sim::event_counts& counts) {
    return storage_run(seed, plan, counts).play();
  });
}

TEST(StorageCrashTest, AcknowledgedRecordsAreThereOnceAndInOrder) {
  io::sim::event_counts events;
  const auto found = play(300, {}, events);
  print(events);
  EXPECT_EQ(found, std::nullopt);
  for (const char* must_happen : {"crash before write",
                                  "crash after write",
                                  "crash before sync",
                                  "crash after sync",
                                  "crash before rename",
                                  "crash after rename",
                                  "crash before create",
                                  "crash after create",
                                  "crash before sync_directory",
                                  "crash after sync_directory",
                                  "crash kept a write",
                                  "crash lost a write",
                                  "crash tore a write",
                                  "crash left zeros at the end",
                                  "crash lost a change of size",
                                  "crash kept a name",
                                  "crash lost a name",
                                  "clean closes",
                                  "opened clean",
                                  "opened unclean",
                                  "resent batches known as duplicates",
                                  "records acknowledged"}) {
    EXPECT_GT(events[must_happen], 0u) << must_happen;
  }
}

// Canaries: each of these bugs must be noticed, else the test above proves nothing.

TEST(StorageCrashTest, NoticesAnAcknowledgementBeforeTheSync) {
  io::sim::event_counts events;
  EXPECT_NE(play(100, {.ack_at_once = true, .faults = {}}, events), std::nullopt);
}

TEST(StorageCrashTest, NoticesFilesThatAreNotSynced) {
  io::sim::event_counts events;
  EXPECT_NE(play(100, {.faults = {.ignore_file_syncs = true}}, events), std::nullopt);
}

TEST(StorageCrashTest, NoticesDirectoriesThatAreNotSynced) {
  io::sim::event_counts events;
  EXPECT_NE(play(100, {.faults = {.ignore_directory_syncs = true}}, events), std::nullopt);
}

}  // namespace
}  // namespace ringlog::sim
