#include "metadata/quorum_state.h"

#include <charconv>
#include <string_view>

#include "base/limits.h"
#include "protocol/json.h"
#include "protocol/stored/raft/quorum_state_data.h"

namespace ringlog::metadata {

namespace {

constexpr std::int32_t data_version_max = 1;

// The integer that stands behind "name": in a flat JSON object.
std::optional<std::int32_t> find_integer(std::string_view json, std::string_view name) {
  const std::string quoted = fmt::format("\"{}\"", name);
  auto position = json.find(quoted);
  if (position == std::string_view::npos) return std::nullopt;
  position = json.find_first_not_of(" \t", position + quoted.size());
  if (position == std::string_view::npos || json[position] != ':') return std::nullopt;
  position = json.find_first_not_of(" \t", position + 1);
  if (position == std::string_view::npos) return std::nullopt;
  std::int32_t value = 0;
  const auto parsed = std::from_chars(json.data() + position, json.data() + json.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

std::string quorum_state::to_json() const {
  protocol::quorum_state_data data;
  data.leader_id = leader.value();
  data.leader_epoch = epoch.value();
  if (data_version == 0) data.current_voters->emplace_back().voter_id = leader.value();
  std::string json = protocol::to_json(data, static_cast<std::int16_t>(data_version));
  json.pop_back();
  return json + fmt::format(",\"data_version\":{}}}", data_version);
}

result<quorum_state> quorum_state::parse(std::string_view json) {
  const auto leader = find_integer(json, "leaderId");
  const auto epoch = find_integer(json, "leaderEpoch");
  const auto version = find_integer(json, "data_version");
  if (!leader || !epoch || !version) {
    return make_error(error_code::corrupt, "no leaderId, leaderEpoch or data_version in '{}'",
                      json);
  }
  if (*version < 0 || *version > data_version_max) {
    return make_error(error_code::unsupported,
                      "data_version {} is not known; a newer Kafka wrote "
                      "it",
                      *version);
  }
  return quorum_state{node_id_t(*leader), leader_epoch_t(*epoch), *version};
}

result<std::optional<quorum_state>> read_quorum_state(io::file_system& disk,
                                                      const std::string& path) {
  const auto bytes = io::read_file(disk, path, limits::checkpoint_file_bytes_max);
  if (!bytes.ok()) {
    if (bytes.code() == error_code::not_found) return std::optional<quorum_state>{};
    return bytes.failure();
  }
  auto parsed = quorum_state::parse(as_text(*bytes));
  if (!parsed.ok()) return std::move(parsed.failure()).with_context(path);
  return std::optional<quorum_state>(*parsed);
}

}  // namespace ringlog::metadata
