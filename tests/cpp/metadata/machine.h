#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log_sink.h"
#include "io/sim/disk.h"
#include "io/sim/world.h"
#include "metadata/controller.h"
#include "metadata/metadata_files.h"
#include "storage/log_manager.h"

namespace ringlog::metadata {

// A simulated computer with one log directory, whose controller is opened, closed and killed.
class machine {
 public:
  explicit machine(std::uint64_t seed) : world(seed), disk(world), engine(world.make_actor()) {
    EXPECT_TRUE(disk.make_directories("/data").ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
  }

  storage::services services() { return {disk, engine, world.time(), world.random(), sink}; }

  // Opens storage and controller and waits until it is active.
  status open() {
    storage::log_manager_options options;
    options.directory = "/data";
    options.format =
        storage::directory_identity{"cluster", node_id_t(1), uuid::make_random(world.random())};
    TRY_ASSIGN(logs, storage::log_manager::open(services(), options));
    metadata_log_options how;
    how.node = logs->identity().node_id;
    how.cluster_id = logs->identity().cluster_id;
    how.directory_id = logs->identity().directory_id;
    how.bytes_between_snapshots = bytes_between_snapshots;
    TRY_ASSIGN(controller, controller::open(services(), *logs, world.random(), how));
    return wait_for_status([&](auto done) { controller->when_active(std::move(done)); });
  }

  // Every file as after an orderly end.
  status close() {
    const status closed = wait_for_status([&](auto done) { logs->close(std::move(done)); });
    controller.reset();
    logs.reset();
    return closed;
  }

  // The process ends at once; the disk keeps what programs saw.
  void kill() {
    world.drop_all();
    controller.reset();
    logs.reset();
    world.drop_all();
  }

  // The power goes; the disk keeps what was durable and a part of the rest.
  void crash() {
    if (!disk.is_off()) disk.power_off();
    kill();
    disk.power_on();
  }

  // Runs until the call has answered; an answer that never comes is a failure.
  template <typename T, typename Call>
  result<T> wait_for(Call call) {
    auto answer = std::make_shared<std::optional<result<T>>>();
    call([answer](result<T> given) { answer->emplace(std::move(given)); });
    world.run_until([&] { return answer->has_value() || disk.is_off(); });
    if (!*answer) return make_error(error_code::timed_out, "no answer");
    return std::move(**answer);
  }

  template <typename Call>
  status wait_for_status(Call call) {
    return wait_for<void>(std::move(call));
  }

  result<topic_ptr> create_topic(const std::string& name, std::int32_t partitions = 1,
                                 config_values configs = {}) {
    return wait_for<topic_ptr>([&](auto done) {
      controller->create_topic({name, partitions, configs, {}}, std::move(done));
    });
  }
  result<leader_epoch_t> raise_leader_epoch(const uuid& id, std::int32_t partition = 0) {
    return wait_for<leader_epoch_t>([&](auto done) {
      controller->raise_leader_epoch(id, partition_id_t(partition), std::move(done));
    });
  }
  result<producer_id_block> allocate_producer_ids() {
    return wait_for<producer_id_block>(
        [&](auto done) { controller->allocate_producer_ids(std::move(done)); });
  }
  status alter_configs(config_resource resource, std::vector<config_change> changes) {
    return wait_for_status(
        [&](auto done) { controller->alter_configs(resource, changes, std::move(done)); });
  }

  std::int64_t bytes_between_snapshots = 20 * limits::MiB;
  io::sim::world world;
  io::sim::disk disk;
  io::sim::actor& engine;
  null_log_sink sink;
  std::unique_ptr<storage::log_manager> logs;
  std::unique_ptr<metadata::controller> controller;
};

}  // namespace ringlog::metadata
