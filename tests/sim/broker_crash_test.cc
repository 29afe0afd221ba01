#include <gtest/gtest.h>

#include "broker_clients.h"
#include "node/core.h"
#include "partition_client.h"
#include "run.h"

// The real core of a node, storage, metadata and broker, on a simulated disk: records, topics,
// configs, committed offsets and producer ids, through several crashes and clean stops.
namespace ringlog::sim {
namespace {

struct broker_plan {
  bool ack_at_once = false;  // the planted bug of the test's own client
  io::sim::fault_plan faults;
};

class broker_run {
 public:
  broker_run(std::uint64_t seed, const broker_plan& plan, io::sim::event_counts& events)
      : events_(events),
        world_(seed),
        disk_(world_),
        engine_(world_.make_actor()),
        admin_(world_.random()) {
    disk_.faults = plan.faults;
    for (std::int32_t i = 0; i < partitions; ++i) {
      clients_.push_back(std::make_unique<partition_client>(
          name_of(i).to_string(), producer_id_t(1'000'000 + i), world_.random(), plan.ack_at_once));
    }
  }

  violation play() {
    violation found = boots();
    stop();
    for (const auto& client : clients_) {
      events_["records acknowledged"] += static_cast<std::uint64_t>(client->acknowledged());
      events_["resent batches known as duplicates"] += client->duplicates();
    }
    events_["answers to administration and commits"] += admin_.answers();
    add(events_, disk_.events());
    return found;
  }

 private:
  static constexpr std::int32_t partitions = 3;
  static constexpr int boots_max = 4;
  static constexpr int steps_max = 250;

  static topic_partition name_of(std::int32_t i) { return {"orders", partition_id_t(i)}; }

  violation boots() {
    for (int boot = 0; boot < boots_max; ++boot) {
      if (!world_.random().one_in(5)) crash_after(disk_, world_.random().below(1500), events_);
      if (violation found = one_boot()) return found;
      disk_.observer = nullptr;
      if (disk_.is_off()) {
        stop();
        disk_.power_on();
        ++events_["boots after a crash"];
      }
    }
    return open();  // the last word
  }

  violation one_boot() {
    if (violation found = open()) return found;
    for (int step = 0; step < steps_max && !disk_.is_off(); ++step) {
      one_step();
      if (violation found = broken_by_answers()) return found;
    }
    return disk_.is_off() ? std::nullopt : close();
  }

  // What happens while the machine is off is nobody's fault.
  violation unless_off(violation found) { return disk_.is_off() ? std::nullopt : found; }

  violation open() {
    const storage::services outside{disk_, engine_, world_.time(), world_.random(), sink_};
    const auto make_directory = [&]() -> status {
      TRY(disk_.make_directories("/data/log"));
      TRY(disk_.sync_directory("/data"));
      return disk_.sync_directory("/");
    };
    const status made = make_directory();
    if (!made.ok()) return unless_off(made.failure().message);
    auto opened = node::core::open(outside, {"/data/log", "/data/journal", settings()});
    if (!opened.ok()) return unless_off("open: " + opened.failure().message);
    core_ = std::move(opened).value();
    const auto started = ask<std::monostate>(world_, disk_, [&](auto done) {
      core_->start([done = std::move(done)](status outcome) mutable {
        if (!outcome.ok()) return done(std::move(outcome.failure()));
        done(std::monostate());
      });
    });
    if (!started.ok()) return unless_off("start: " + started.failure().message);
    return unless_off(attach());
  }

  static model::config_map settings() {
    return {{"offsets.topic.num.partitions", "2"},
            {"log.initial.task.delay.ms", "1000"},
            {"log.retention.check.interval.ms", "5000"},
            {"log.flush.offset.checkpoint.interval.ms", "2000"}};
  }

  violation attach() {
    broker::broker& served = core_->broker();
    admin_.forget_answers();
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
    if (choice < 65) {
      client.send();
    } else if (choice < 69) {
      client.delete_some_records();
    } else if (choice < 75) {
      admin_.create_or_delete_a_topic(served);
    } else if (choice < 85) {
      admin_.commit_an_offset(served);
    } else if (choice < 88) {
      admin_.alter_a_config(served);
    } else if (choice < 90) {
      admin_.allocate_a_producer_id(served);
    } else if (choice < 95) {
      world_.run_for(milliseconds(random.below(100)));
    } else if (choice < 97) {
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

  violation close() {
    // Clients get their answers first; a broker that closes refuses what is parked.
    world_.run_for(std::chrono::seconds(1));
    if (violation found = broken_by_answers()) return found;
    const auto closed = ask<std::monostate>(world_, disk_, [&](auto done) {
      core_->close([done = std::move(done)](status outcome) mutable {
        if (!outcome.ok()) return done(std::move(outcome.failure()));
        done(std::monostate());
      });
    });
    if (!closed.ok()) return unless_off("close: " + closed.failure().message);
    ++events_["clean closes"];
    stop();
    return std::nullopt;
  }

  // The process ends, whatever it was doing.
  void stop() {
    world_.drop_all();
    for (const auto& client : clients_) client->detach();
    core_.reset();
    world_.drop_all();
  }

  io::sim::event_counts& events_;
  io::sim::world world_;
  io::sim::disk disk_;
  io::sim::actor& engine_;
  null_log_sink sink_;
  admin_client admin_;
  std::vector<std::unique_ptr<partition_client>> clients_;
  std::unique_ptr<node::core> core_;
};

std::optional<std::string> play(std::uint64_t runs, const broker_plan& plan,
                                io::sim::event_counts& events) {
  return find_violation(runs, events, [&](std::uint64_t seed, io::sim::event_counts& counts) {
    return broker_run(seed, plan, counts).play();
  });
}

TEST(BrokerCrashTest, WhatWasAnsweredIsThereAfterEveryCrash) {
  io::sim::event_counts events;
  const auto found = play(100, {}, events);
  print(events);
  EXPECT_EQ(found, std::nullopt);
  for (const char* must_happen :
       {"crash before write", "crash after write", "crash before sync", "crash after sync",
        "crash before rename", "crash after rename", "crash before sync_directory",
        "crash after sync_directory", "crash lost a write", "crash tore a write",
        "crash lost a name", "clean closes", "boots after a crash",
        "resent batches known as duplicates", "records acknowledged",
        "answers to administration and commits"}) {
    EXPECT_GT(events[must_happen], 0u) << must_happen;
  }
}

// Canaries: each of these bugs must be noticed, else the test above proves nothing.

TEST(BrokerCrashTest, NoticesAnAcknowledgementBeforeTheSync) {
  io::sim::event_counts events;
  EXPECT_NE(play(100, {.ack_at_once = true, .faults = {}}, events), std::nullopt);
}

TEST(BrokerCrashTest, NoticesFilesThatAreNotSynced) {
  io::sim::event_counts events;
  EXPECT_NE(play(100, {.faults = {.ignore_file_syncs = true}}, events), std::nullopt);
}

TEST(BrokerCrashTest, NoticesDirectoriesThatAreNotSynced) {
  io::sim::event_counts events;
  EXPECT_NE(play(100, {.faults = {.ignore_directory_syncs = true}}, events), std::nullopt);
}

TEST(BrokerCrashTest, TheSameSeedGivesTheSameRun) {
  io::sim::event_counts first;
  io::sim::event_counts second;
  EXPECT_EQ(broker_run(7, {}, first).play(), broker_run(7, {}, second).play());
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace ringlog::sim
