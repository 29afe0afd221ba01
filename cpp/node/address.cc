#include "node/address.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/limits.h"
#include "base/properties.h"
#include "io/make_durably.h"
#include "io/record_lock.h"

namespace ringlog::node {
namespace {

constexpr std::string_view file_scheme = "file:";
constexpr std::string_view memory_scheme = "memory:";
constexpr std::string_view identity_file = "meta.properties";
constexpr std::string_view lock_file = ".lock";
constexpr std::string_view socket_file = "ringlog.sock";
constexpr std::string_view set_aside_identity_file = "meta.properties.ringlog";  // while in use

result<model::config_map> parse_settings(std::string_view text, std::string_view address) {
  model::config_map settings;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals == one.npos || equals == 0) {
      return make_error(error_code::invalid_argument,
                        "'{}': after the question mark stands '{}', not setting=value", address,
                        one);
    }
    settings[std::string(one.substr(0, equals))] = std::string(one.substr(equals + 1));
  }
  return settings;
}

std::string absolute(std::string_view path) {
  std::string text = std::filesystem::absolute(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

// What may stand beside log/ in a directory of ours before it holds a log.
bool may_stand_there(const std::string& name) {
  constexpr std::array<std::string_view, 5> known = {"log", "journal", "ringlog.properties",
                                                     "server.properties", "lost+found"};
  return name.starts_with('.') || name.starts_with(socket_file) ||
         std::ranges::find(known, name) != known.end();
}

status check_not_foreign(io::file_system& disk, const std::string& path) {
  TRY_ASSIGN(const auto entries, disk.list(path));
  for (const io::directory_entry& entry : entries) {
    if (may_stand_there(entry.name)) continue;
    return make_error(error_code::foreign_directory,
                      "{} holds '{}' and no log of ringlog or Kafka: choose a new or empty "
                      "directory, or one with a log in it",
                      path, entry.name);
  }
  return {};
}

// Whether `path` is a log directory; one that is open, or was when its process was killed, has its
// identity set aside. Who has it open may put it back between two looks.
result<bool> is_log_directory(io::file_system& disk, const std::string& path) {
  for (const std::string_view name : {identity_file, set_aside_identity_file, identity_file}) {
    TRY_ASSIGN(const bool there, disk.exists(path + "/" + std::string(name)));
    if (there) return true;
  }
  return false;
}

}  // namespace

std::string log_address::text() const {
  return std::string(in_memory ? memory_scheme : file_scheme) + name;
}

result<log_address> parse_address(std::string_view text) {
  log_address address;
  const std::string_view before = text.substr(0, text.find('?'));
  if (before.starts_with(memory_scheme)) {
    address.in_memory = true;
    address.name = before.substr(memory_scheme.size());
  } else if (before.starts_with(file_scheme) && before.size() > file_scheme.size()) {
    address.name = absolute(before.substr(file_scheme.size()));
  } else {
    return make_error(error_code::invalid_argument,
                      "'{}' is not the address of an embedded log: write file:DIRECTORY, memory: "
                      "or memory:NAME",
                      text);
  }
  if (before.size() < text.size()) {
    TRY_ASSIGN(address.settings, parse_settings(text.substr(before.size() + 1), text));
  }
  return address;
}

result<directory_layout> prepare_directory(io::file_system& disk, const std::string& path) {
  directory_layout layout{
      .top = path, .log_directory = path + "/log", .journal_directory = path + "/journal"};
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (there) {
    TRY_ASSIGN(layout.is_kafka_log_directory, is_log_directory(disk, path));
    if (layout.is_kafka_log_directory) {
      layout.log_directory = path;  // which Kafka wants for itself alone
      layout.journal_directory = path + ".ringlog/journal";
    } else {
      TRY_ASSIGN(const bool ours, is_log_directory(disk, layout.log_directory));
      if (!ours) TRY(check_not_foreign(disk, path));
    }
  }
  TRY(io::make_durably(disk, layout.log_directory));
  return layout;
}

result<directory_layout> find_directory(io::file_system& disk, const std::string& path) {
  directory_layout layout{.top = absolute(path), .log_directory = {}, .journal_directory = {}};
  for (const std::string& candidate : {layout.top, layout.top + "/log"}) {
    TRY_ASSIGN(const bool is_log, is_log_directory(disk, candidate));
    if (!is_log) continue;
    layout.log_directory = candidate;
    layout.is_kafka_log_directory = candidate == layout.top;
    layout.journal_directory =
        layout.top + (layout.is_kafka_log_directory ? ".ringlog/journal" : "/journal");
    return layout;
  }
  return make_error(error_code::not_found,
                    "{} is no log directory: neither it nor a directory 'log' in it has a file {}",
                    layout.top, identity_file);
}

result<std::unique_ptr<io::file_lock>> lock_if_used(io::file_system& disk,
                                                    const std::string& log_directory) {
  const std::string path = log_directory + "/" + std::string(lock_file);
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (!there) return std::unique_ptr<io::file_lock>();
  return disk.lock(path);
}

std::string socket_path(const directory_layout& layout) {
  return io::parent_of(layout.journal_directory) + "/" + std::string(socket_file);
}

result<int> find_owner(const directory_layout& layout) {
  return io::find_lock_holder(layout.log_directory + "/" + std::string(lock_file));
}

result<bool> may_be_used_by_another(io::file_system& disk, const directory_layout& layout) {
  return disk.exists(layout.log_directory + "/" + std::string(identity_file));
}

result<model::config_map> read_server_properties(io::file_system& disk, const std::string& top) {
  const std::string path = top + "/server.properties";
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (!there) return model::config_map();
  TRY_ASSIGN(const byte_buffer content, io::read_file(disk, path, limits::settings_bytes_max));
  return parse_properties(as_text(content));
}

status check_setting_names(const model::config_map& settings) {
  for (const std::string& name : model::unknown_names(model::broker_configs(), settings)) {
    return make_error(error_code::invalid_config,
                      "'{}' is not a broker setting of Kafka: did you "
                      "mean '{}'?",
                      name, model::nearest_name(model::broker_configs(), name));
  }
  return {};
}

}  // namespace ringlog::node
