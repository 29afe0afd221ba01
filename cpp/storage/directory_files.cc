#include "storage/directory_files.h"

#include <map>
#include <string_view>

#include "base/limits.h"
#include "base/parse.h"

namespace ringlog::storage {

namespace {

constexpr std::int64_t small_file_bytes_max = 64 * limits::KiB;

result<std::optional<std::string>> read_small_file(io::file_system& disk, const std::string& path) {
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (!there) return std::optional<std::string>();
  TRY_ASSIGN(const byte_buffer content, io::read_file(disk, path, small_file_bytes_max));
  return std::optional<std::string>(to_string(content));
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// "key=value" or "key: value" lines with '#' comments; a backslash keeps the next character.
std::map<std::string, std::string> parse_properties(std::string_view text) {
  std::map<std::string, std::string> properties;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line[0] == '#' || line[0] == '!') continue;
    std::string key;
    std::string value;
    std::string* part = &key;
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (line[at] == '\\' && at + 1 < line.size()) {
        part->push_back(line[++at]);
      } else if (part == &key && (line[at] == '=' || line[at] == ':')) {
        part = &value;
      } else {
        part->push_back(line[at]);
      }
    }
    properties[std::string(trim(key))] = std::string(trim(value));
  }
  return properties;
}

}  // namespace

result<std::optional<directory_identity>> read_meta_properties(io::file_system& disk,
                                                               const std::string& path) {
  TRY_ASSIGN(const auto text, read_small_file(disk, path));
  if (!text) return std::optional<directory_identity>();
  auto properties = parse_properties(*text);
  if (properties["version"] != "1") {
    return make_error(error_code::unsupported,
                      "{}: version '{}' is not known (1 is); was it written by a newer or a "
                      "ZooKeeper-based Kafka?",
                      path, properties["version"]);
  }
  const auto node = parse_integer<std::int32_t>(properties["node.id"]);
  if (!node || *node < 0 || properties["cluster.id"].empty()) {
    return make_error(error_code::corrupt, "{}: cluster.id or node.id is missing or not valid",
                      path);
  }
  directory_identity identity;
  identity.cluster_id = properties["cluster.id"];
  identity.node_id = node_id_t(*node);
  if (!properties["directory.id"].empty()) {
    auto id = uuid::parse(properties["directory.id"]);
    if (!id.ok()) return std::move(id.failure()).with_context(path + ": directory.id");
    identity.directory_id = *id;
  }
  return std::optional(identity);
}

status write_meta_properties(io::file_system& disk, const std::string& path,
                             const directory_identity& identity) {
  const std::string text =
      fmt::format("version=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\n", identity.cluster_id,
                  identity.node_id, identity.directory_id);
  return io::replace_file(disk, path, as_bytes(text));
}

result<std::optional<std::int64_t>> read_clean_shutdown(io::file_system& disk,
                                                        const std::string& path) {
  TRY_ASSIGN(const auto text, read_small_file(disk, path));
  if (!text) return std::optional<std::int64_t>();
  std::string_view rest = *text;
  constexpr std::string_view field = "\"brokerEpoch\":";
  const std::size_t at = rest.find(field);
  if (at == rest.npos) return std::optional<std::int64_t>(-1);
  rest = trim(rest.substr(at + field.size()));
  const auto value =
      parse_integer<std::int64_t>(rest.substr(0, rest.find_first_not_of("-0123456789")));
  return std::optional<std::int64_t>(value.value_or(-1));
}

status write_clean_shutdown(io::file_system& disk, const std::string& path,
                            std::int64_t broker_epoch) {
  const std::string text = fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}", broker_epoch);
  return io::replace_file(disk, path, as_bytes(text));
}

result<std::optional<uuid>> read_partition_metadata(io::file_system& disk,
                                                    const std::string& path) {
  TRY_ASSIGN(const auto text, read_small_file(disk, path));
  if (!text) return std::optional<uuid>();
  auto properties = parse_properties(*text);
  if (properties["version"] != "0") {
    return make_error(error_code::unsupported, "{}: version '{}' is not known", path,
                      properties["version"]);
  }
  auto id = uuid::parse(properties["topic_id"]);
  if (!id.ok()) return make_error(error_code::corrupt, "{}: no valid topic_id", path);
  return std::optional(*id);
}

status write_partition_metadata(io::file_system& disk, const std::string& path,
                                const uuid& topic_id) {
  const std::string text = fmt::format("version: 0\ntopic_id: {}", topic_id);
  return io::write_file(disk, path, as_bytes(text));
}

}  // namespace ringlog::storage
