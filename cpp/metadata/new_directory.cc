#include "metadata/new_directory.h"

#include <string_view>
#include <utility>

#include "metadata/image_records.h"
#include "metadata/metadata_files.h"

namespace ringlog::metadata {

namespace {

struct feature_range {
  std::string_view name;
  std::int16_t lowest;
  std::int16_t highest;
  bool finalised;  // in a new directory, at its highest level
};

constexpr feature_range supported_features[] = {
    {metadata_version_feature, 7, metadata_version_max, true},
    {"group.version", 0, 1, true},
    {"kraft.version", 0, 1, false},
};

constexpr std::string_view default_host = "localhost";
constexpr std::uint16_t broker_port = 9092;
constexpr std::uint16_t controller_port = 9093;

}  // namespace

result<std::vector<protocol::metadata_record>> bootstrap_records(io::file_system& disk,
                                                                 const std::string& log_directory) {
  TRY_ASSIGN(auto formatted, read_snapshot(disk, bootstrap_path(log_directory)));
  if (formatted && !formatted->records.empty()) return std::move(formatted->records);
  std::vector<protocol::metadata_record> records;
  for (const feature_range& feature : supported_features) {
    if (!feature.finalised) continue;
    protocol::feature_level_record record;
    record.name = feature.name;
    record.feature_level = feature.highest;
    records.push_back({std::move(record), 0});
  }
  return records;
}

result<snapshot> write_first_files(io::file_system& disk, const std::string& log_directory,
                                   node_id_t node, const uuid& directory_id,
                                   const std::vector<protocol::metadata_record>& records,
                                   std::int64_t now) {
  snapshot first;
  first.last_timestamp = now;
  first.kraft_version.emplace().k_raft_version = 1;
  auto& voter = first.voters.emplace().voters.emplace_back();
  voter.voter_id = node.value();
  voter.voter_directory_id = directory_id;
  auto& endpoint = voter.endpoints.emplace_back();
  endpoint.name = "CONTROLLER";
  endpoint.host = default_host;
  endpoint.port = controller_port;
  voter.k_raft_version_feature.max_supported_version = 1;
  TRY_ASSIGN(const byte_buffer first_bytes, encode_snapshot(first, leader_epoch_t(0), now));
  TRY(disk.make_directories(metadata_directory(log_directory)));
  TRY(disk.sync_directory(log_directory));
  TRY(io::replace_file(disk, metadata_directory(log_directory) + "/" + snapshot_id{}.file_name(),
                       first_bytes));

  snapshot bootstrap;
  bootstrap.records = records;
  TRY_ASSIGN(const byte_buffer bootstrap_bytes, encode_snapshot(bootstrap, leader_epoch_t(0), now));
  TRY(io::replace_file(disk, bootstrap_path(log_directory), bootstrap_bytes));
  return first;
}

protocol::register_broker_record registration_of(node_id_t node, const uuid& directory_id,
                                                 const uuid& incarnation_id,
                                                 offset_t broker_epoch) {
  protocol::register_broker_record record;
  record.broker_id = node.value();
  record.incarnation_id = incarnation_id;
  record.broker_epoch = broker_epoch.value();
  auto& endpoint = record.end_points.emplace_back();
  endpoint.name = "PLAINTEXT";
  endpoint.host = default_host;
  endpoint.port = broker_port;
  for (const feature_range& feature : supported_features) {
    auto& supported = record.features.emplace_back();
    supported.name = feature.name;
    supported.min_supported_version = feature.lowest;
    supported.max_supported_version = feature.highest;
  }
  record.fenced = true;
  record.log_dirs = {directory_id};
  return record;
}

}  // namespace ringlog::metadata
