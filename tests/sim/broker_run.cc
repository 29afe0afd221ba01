#include "broker_run.h"

#include "broker_clients.h"
#include "coverage.h"
#include "crash_run.h"
#include "node/core.h"
#include "partition_client.h"

namespace ringlog::sim {
namespace {

constexpr std::int32_t partitions = 3;
constexpr int steps_max = 250;

model::config_map settings() {
  return {{"offsets.topic.num.partitions", "2"},
          {"log.initial.task.delay.ms", "1000"},
          {"log.retention.check.interval.ms", "5000"},
          {"log.flush.offset.checkpoint.interval.ms", "2000"}};
}

class broker_run final : public crash_run {
 public:
  broker_run(std::uint64_t seed, const run_plan& plan, io::sim::event_counts& events)
      : crash_run(seed, plan, broker_places, {.places_share = 3, .operations_max = 2000}, events),
        admin_(world_.random()) {
    for (std::int32_t i = 0; i < partitions; ++i) {
      clients_.push_back(std::make_unique<partition_client>(
          name_of(i).to_string(), producer_id_t(1'000'000 + i), world_.random(), plan.ack_at_once));
    }
  }

 private:
  static topic_partition name_of(std::int32_t i) { return {"orders", partition_id_t(i)}; }

  std::uint64_t operations() const override {
    std::uint64_t sum = admin_.operations();
    for (const auto& client : clients_) sum += client->counted().operations;
    return sum;
  }

  violation use() override {
    if (violation found = open()) return found;
    crashes_.set_in_use(true);
    const int fails_from =
        world_.random().one_in(12) ? static_cast<int>(world_.random().below(steps_max)) : -1;
    for (int step = 0; step < steps_max && !disk_.is_off(); ++step) {
      if (step == fails_from) disk_.faults.sync_error_one_in = 20;
      one_step();
      if (is_disk_failing()) return end_with_a_failing_disk();
      if (violation found = broken_by_answers()) return found;
    }
    return std::nullopt;
  }

  // Requests are refused; what was acknowledged must survive the machine's restart.
  violation end_with_a_failing_disk() {
    admin_.excuse_failures();
    for (const auto& client : clients_) client->excuse_failures();
    world_.run_for(milliseconds(world_.random().below(100)));
    ++events_["failing disk: restarted"];
    disk_.power_off();
    return std::nullopt;
  }

  violation open_all() override {
    const storage::services outside{disk_, engine_, world_.time(), world_.random(), sink_};
    const auto make_directory = [&]() -> status {
      TRY(disk_.make_directories("/data/log"));
      TRY(disk_.sync_directory("/data"));
      return disk_.sync_directory("/");
    };
    const status made = make_directory();
    if (!made.ok()) return made.failure().message;
    node::core_options options{"/data/log", "/data/journal", settings()};
    options.journal_bytes_max = 2 * limits::MiB;
    options.single_syncs_max =
        world_.random().one_in(2) ? 0 : 1000;  // all as one, or each by itself
    auto opened = node::core::open(outside, options);
    if (!opened.ok()) return "open: " + opened.failure().message;
    core_ = std::move(opened).value();
    const auto started =
        ask_status(world_, disk_, [&](auto done) { core_->start(std::move(done)); });
    if (!started.ok()) return "start: " + started.failure().message;
    return attach();
  }

  violation attach() {
    broker::broker& served = core_->broker();
    if (!served.find_topic("orders")) {
      broker::new_topic topic;
      topic.name = "orders";
      topic.partitions = partitions;
      // An index of eight entries makes small segments.
      topic.configs = {
          {"segment.index.bytes", "64"}, {"index.interval.bytes", "300"}, {"retention.ms", "-1"}};
      const auto made = ask<broker::created_topic>(
          world_, disk_, [&](auto done) { served.create_topic(topic, false, std::move(done)); });
      if (!made.ok()) return "create orders: " + made.failure().message;
    }
    if (violation found = admin_.check(served, world_, disk_)) return found;
    for (std::int32_t i = 0; i < partitions; ++i) {
      const auto client = static_cast<std::size_t>(i);
      violation found = clients_[client]->attach(
          std::make_unique<broker_port>(served, name_of(i), world_, disk_));
      if (found) return found;
    }
    return std::nullopt;
  }

  void one_step() {
    random_source& random = world_.random();
    broker::broker& served = core_->broker();
    partition_client& client = *clients_[random.below(partitions)];
    const std::uint64_t choice = random.below(100);
    if (choice < 58) {
      client.send(random.one_in(25) ? 30'000 : 700);
    } else if (choice < 62) {
      client.delete_some_records();
    } else if (choice < 68) {
      admin_.create_or_delete_a_topic(served);
    } else if (choice < 74) {
      admin_.append_to_a_topic(served);
    } else if (choice < 83) {
      admin_.commit_an_offset(served);
    } else if (choice < 86) {
      admin_.alter_a_config(served);
    } else if (choice < 88) {
      admin_.allocate_a_producer_id(served);
    } else if (choice < 93) {
      world_.run_for(milliseconds(random.below(100)));
    } else if (choice < 95) {
      world_.run_for(std::chrono::seconds(random.below(20)));
    }
    for (std::uint64_t tasks = random.below(6); tasks > 0; --tasks) world_.run_one();
  }

  violation broken_by_answers() {
    if (admin_.broken_by_answers()) return unless_off(admin_.broken_by_answers());
    for (const auto& client : clients_) {
      if (client->broken_by_answers()) return unless_off(client->broken_by_answers());
    }
    return std::nullopt;
  }

  violation close() override {
    if (is_disk_failing()) return std::nullopt;
    crashes_.set_in_use(false);
    // Clients get their answers first; a broker that closes refuses what is parked.
    world_.run_for(std::chrono::seconds(1));
    if (is_disk_failing()) return std::nullopt;
    if (violation found = broken_by_answers()) return found;
    const auto closed =
        ask_status(world_, disk_, [&](auto done) { core_->close(std::move(done)); });
    if (disk_.is_off()) ++events_["crash during a clean close"];
    if (is_disk_failing() || disk_.is_off()) return std::nullopt;
    if (!closed.ok()) return "close: " + closed.failure().message;
    ++events_["clean closes"];
    return std::nullopt;
  }

  void drop_process() override {
    for (const auto& client : clients_) client->detach();
    core_.reset();
  }

  void count_own_events() override {
    for (const auto& client : clients_) {
      events_["records acknowledged"] += static_cast<std::uint64_t>(client->acknowledged());
      events_["resent batches known as duplicates"] += client->counted().duplicates;
      events_["log starts answered"] += client->counted().log_starts;
    }
    events_["client operations"] += operations();
    events_["answers to administration and commits"] += admin_.answers();
    events_["topics made again under the same name"] += admin_.topics_made_again();
  }

  admin_client admin_;
  std::vector<std::unique_ptr<partition_client>> clients_;
  std::unique_ptr<node::core> core_;
};

}  // namespace

violation play_broker(std::uint64_t seed, const run_plan& plan, io::sim::event_counts& events) {
  return broker_run(seed, plan, events).play();
}

}  // namespace ringlog::sim
