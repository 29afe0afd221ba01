#include "node/core.h"

#include <fmt/format.h>

#include <optional>

#include "broker/make_broker.h"
#include "metadata/controller.h"
#include "storage/log_manager.h"

namespace ringlog::node {
namespace {

constexpr std::int32_t first_node_id = 1;  // of a directory made here, unless node.id says another

storage::services with_sink(const storage::services& given, log_sink& sink) {
  return {given.disk, given.engine, given.clock, given.random, sink};
}

class built_core final : public core {
 public:
  built_core(const storage::services& outside, core_options options, model::config_values effective,
             std::unique_ptr<storage::log_manager> logs)
      : outside_(outside),
        options_(std::move(options)),
        effective_(std::move(effective)),
        logs_(std::move(logs)) {}

  status open_metadata() {
    TRY(check_node_id());
    metadata::metadata_log_options options;
    options.node = logs_->identity().node_id;
    options.cluster_id = logs_->identity().cluster_id;
    options.directory_id = logs_->identity().directory_id;
    TRY_ASSIGN(controller_, metadata::controller::open(
                                with_sink(outside_, options_.loggers->of(logger_names::metadata)),
                                *logs_, outside_.random, std::move(options)));
    return {};
  }

  void start(callback<void(status)> done) override {
    controller_->when_active([this, done = std::move(done)](status active) mutable {
      done(active.ok() ? build_broker() : std::move(active));
    });
  }

  storage::log_manager& logs() override { return *logs_; }
  void refuse_writes(const error& why) override { logs_->refuse_writes(why); }
  broker::broker& broker() override { return *broker_; }
  const storage::replayed_journal& replayed() const override { return logs_->replayed(); }
  const model::config_values& effective_settings() const override { return effective_; }

  void close(callback<void(status)> done) override {
    if (broker_ != nullptr) broker_->close();
    if (controller_ != nullptr && logs_->health().ok()) {
      const status written = controller_->write_due_snapshot();
      if (!written.ok()) outside_.sink.write(log_level::warning, written.failure().message);
    }
    logs_->close(std::move(done));
  }

 private:
  // Kafka refuses to start with another id than the directory's, too.
  status check_node_id() const {
    const auto given = options_.settings.find("node.id");
    if (given == options_.settings.end()) return {};
    const std::string stored = fmt::format("{}", logs_->identity().node_id);
    if (given->second == stored) return {};
    return make_error(error_code::invalid_config,
                      "node.id={} is asked for, but {} belongs to node {}: leave the setting out",
                      given->second, options_.log_directory, stored);
  }

  status build_broker() {
    broker::broker_options options;
    options.node = logs_->identity().node_id;
    options.cluster_id = logs_->identity().cluster_id;
    options.static_configs = options_.settings;
    options.in_memory = options_.journal_directory.empty();
    if (!options.in_memory) {
      const std::string path = broker::own_configs::path_beside(options_.journal_directory);
      TRY_ASSIGN(options.own, broker::own_configs::open(outside_.disk, path));
    }
    logger_set& loggers = *options_.loggers;
    TRY_ASSIGN(broker_, broker::make_broker(
                            {outside_.engine, outside_.clock, outside_.random,
                             loggers.of(logger_names::broker), *logs_, *controller_, loggers},
                            std::move(options)));
    return {};
  }

  storage::services outside_;
  core_options options_;
  // Destroyed from the last to the first: each stands on those above it.
  model::config_values effective_;
  std::unique_ptr<storage::log_manager> logs_;
  std::unique_ptr<metadata::controller> controller_;
  std::unique_ptr<broker::broker> broker_;
};

// Logs in memory promise what memory does, whatever is asked for; logs on files cannot.
status settle_durability(core_options& options) {
  const std::string name = "ringlog.durability";
  if (options.journal_directory.empty()) {
    options.settings.insert_or_assign(name, "memory");
    return {};
  }
  const auto set = options.settings.find(name);
  if (set == options.settings.end() || set->second != "memory") return {};
  return make_error(
      error_code::invalid_config,
      "{}=memory is for logs in memory (memory:), {} is on files: fsync or page_cache", name,
      options.log_directory);
}

storage::log_manager_options make_options(const storage::services& outside,
                                          const core_options& options,
                                          const model::config_values& effective) {
  const auto node_id = static_cast<std::int32_t>(
      effective.is_set("node.id") ? effective.number("node.id") : first_node_id);
  storage::log_manager_options made;
  made.directory = options.log_directory;
  made.journal_directory = options.journal_directory;
  made.takes_damaged_journal = options.takes_damaged_journal;
  made.journal_bytes_max = options.journal_bytes_max;
  made.single_syncs_max = options.single_syncs_max;
  made.format =
      storage::directory_identity{.cluster_id = uuid::make_random(outside.random).to_string(),
                                  .node_id = node_id_t(node_id),
                                  .directory_id = uuid::make_random(outside.random)};
  made.recovery_point_interval_ms = effective.number("log.flush.offset.checkpoint.interval.ms");
  made.log_start_interval_ms = effective.number("log.flush.start.offset.checkpoint.interval.ms");
  made.high_watermark_interval_ms =
      effective.number("replica.high.watermark.checkpoint.interval.ms");
  made.retention_interval_ms = effective.number("log.retention.check.interval.ms");
  made.initial_task_delay_ms = effective.number("log.initial.task.delay.ms");
  return made;
}

}  // namespace

result<std::unique_ptr<core>> core::open(const storage::services& outside,
                                         const core_options& given) {
  core_options options = given;
  if (options.loggers == nullptr) {
    options.loggers = std::make_shared<logger_set>(outside.sink, log_level::warning);
  }
  TRY(settle_durability(options));
  TRY_ASSIGN(model::config_values effective, model::parse_broker_configs(options.settings));
  TRY_ASSIGN(auto logs, storage::log_manager::open(
                            with_sink(outside, options.loggers->of(logger_names::storage)),
                            make_options(outside, options, effective)));
  auto made = std::make_unique<built_core>(outside, options, std::move(effective), std::move(logs));
  TRY(made->open_metadata());
  return std::unique_ptr<core>(std::move(made));
}

}  // namespace ringlog::node
