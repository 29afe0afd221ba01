#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/make_broker.h"
#include "metadata/machine.h"
#include "model/batch_builder.h"
#include "model/record.h"

namespace ringlog::broker {

inline topic_partition at(std::string topic, std::int32_t partition = 0) {
  return {std::move(topic), partition_id_t(partition)};
}

// A simulated computer with a broker on it, asked through its facade.
class broker_machine : public metadata::machine {
 public:
  explicit broker_machine(std::uint64_t seed) : machine(seed) {
    settings["group.initial.rebalance.delay.ms"] = "0";
    settings["num.partitions"] = "2";
  }

  status start() {
    TRY(open());
    broker_options options;
    options.cluster_id = logs->identity().cluster_id;
    options.static_configs = settings;
    TRY_ASSIGN(options.own, own_configs::open(disk, "/ringlog.properties"));
    TRY_ASSIGN(served, make_broker(broker_outside(), options));
    return {};
  }

  status stop() {
    served->close();
    const status closed = wait_for_status([&](auto done) { logs->close(std::move(done)); });
    forget();
    return closed;
  }
  void kill() {
    world.drop_all();
    forget();
    world.drop_all();
  }
  void crash() {
    if (!disk.is_off()) disk.power_off();
    kill();
    disk.power_on();
  }
  status restart() {
    TRY(stop());
    return start();
  }

  broker_services broker_outside() {
    return {engine, world.time(), world.random(), sink, *logs, *controller, loggers};
  }
  broker& facade() { return *served; }

  // ---- the facade's calls, waited for

  result<created_topic> create(const std::string& name, std::int32_t partitions = 1,
                               config_map configs = {}) {
    new_topic topic;
    topic.name = name;
    topic.partitions = partitions;
    topic.configs = std::move(configs);
    return create(std::move(topic));
  }
  result<created_topic> create(new_topic topic, bool validate_only = false) {
    return wait_for<created_topic>(
        [&](auto done) { served->create_topic(std::move(topic), validate_only, std::move(done)); });
  }
  result<uuid> delete_topic(const std::string& name) {
    return wait_for<uuid>([&](auto done) { served->delete_topic(name, std::move(done)); });
  }

  static byte_buffer batch_of(const std::vector<std::string>& values, std::int64_t timestamp,
                              const model::batch_fields& fields = {}) {
    model::batch_builder builder;
    for (const std::string& value : values) {
      builder.append(timestamp, std::nullopt, as_bytes(value));
    }
    return std::move(builder).finish(fields);
  }
  result<produce_answer> produce(const topic_partition& target, byte_buffer batches,
                                 required_acks acks = required_acks::all) {
    return wait_for<produce_answer>([&](auto done) {
      produce_request request;
      request.target = target;
      request.batches = std::move(batches);
      request.acks = acks;
      served->produce(std::move(request), std::move(done));
    });
  }
  result<produce_answer> produce(const topic_partition& target,
                                 const std::vector<std::string>& values) {
    return produce(target, batch_of(values, world.time().wall_ms()));
  }

  static fetch_request from(const topic_partition& source, std::int64_t offset,
                            std::int64_t wait_ms_max = 0) {
    fetch_request request;
    request.partitions.push_back({source, offset_t(offset)});
    request.wait_ms_max = wait_ms_max;
    return request;
  }
  fetched_partition fetch(fetch_request request) {
    auto answer = wait_for<fetch_answer>(
        [&](auto done) { served->fetch(std::move(request), std::move(done)); });
    return std::move(answer.value().partitions.at(0));
  }
  // The values of all records from the offset on.
  std::vector<std::string> values(const topic_partition& source, std::int64_t offset = 0) {
    std::vector<std::string> all;
    for (;;) {
      const fetched_partition got = fetch(from(source, offset));
      EXPECT_FALSE(got.failure) << got.failure->message;
      const std::int64_t before = offset;
      for (const shared_bytes& piece : got.batches) offset = collect(piece.bytes, offset, all);
      if (offset == before) return all;
    }
  }

  result<listed_offset> list_offset(const topic_partition& source, std::int64_t timestamp) {
    return wait_for<listed_offset>([&](auto done) {
      served->list_offset({source, timestamp, isolation_level::read_uncommitted}, std::move(done));
    });
  }
  status alter(config_resource resource, std::vector<config_alteration> changes) {
    auto altered = wait_for<std::monostate>([&](auto done) {
      served->alter_configs(std::move(resource), std::move(changes), false, std::move(done));
    });
    return altered.ok() ? status{} : status{altered.failure()};
  }
  result<partition_failures> commit(const std::string& group, const topic_partition& tp,
                                    std::int64_t offset) {
    return wait_for<partition_failures>([&](auto done) {
      offset_commit_request request;
      request.from.group = group;
      request.offsets.push_back({tp, {offset_t(offset), no_leader_epoch, "m"}});
      served->commit_offsets(std::move(request), std::move(done));
    });
  }
  std::optional<std::int64_t> committed(const std::string& group, const topic_partition& tp) {
    const auto fetched = wait_for<fetched_offsets>([&](auto done) {
      served->fetch_offsets({group, {{tp}}, false, std::nullopt, -1}, std::move(done));
    });
    if (!fetched.ok() || !fetched->at(0).second) return std::nullopt;
    return fetched->at(0).second->offset.value();
  }

  model::config_map settings;
  logger_set loggers{sink, log_level::warning};
  std::unique_ptr<broker> served;

 private:
  void forget() {
    served.reset();
    controller.reset();
    logs.reset();
  }

  static std::int64_t collect(bytes_view batches, std::int64_t offset,
                              std::vector<std::string>& values) {
    while (!batches.empty()) {
      const auto batch = model::parse_batch(batches).value();
      if (!batch) break;
      model::record_iterator records(*batch, batch->records());
      for (model::record_view record; records.next(record);) {
        if (record.offset.value() >= offset) values.push_back(to_string(*record.value));
      }
      EXPECT_TRUE(records.outcome().ok());
      offset = batch->next_offset().value();
      batches = batches.subspan(batch->size_in_bytes());
    }
    return offset;
  }
};

}  // namespace ringlog::broker
