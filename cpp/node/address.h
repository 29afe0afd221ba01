#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file.h"
#include "model/config_def.h"

namespace ringlog::node {

// An address of an embedded log, taken apart: "file:./data?log.retention.ms=-1", "memory:name".
struct log_address {
  bool in_memory = false;
  std::string name;            // the absolute path of the directory, or the name ("" is one, too)
  model::config_map settings;  // what follows the question mark

  // Without settings: "file:/absolute/path", "memory:name".
  std::string text() const;
};

// Relative paths are resolved against the working directory of now.
// error_code::invalid_argument for anything but file: and memory:.
result<log_address> parse_address(std::string_view text);

// Where things are in a directory that a user named (design: the top of docs/disk_format.md).
struct directory_layout {
  std::string top;
  std::string log_directory;
  std::string journal_directory;        // beside it; made by storage
  bool is_kafka_log_directory = false;  // `top` itself is one: opened in place
};

// Decides what `path` is, and makes it, durably, when it is not there. error_code::
// foreign_directory when it holds neither a log of ours nor one of Kafka's. Changes nothing on
// failure.
result<directory_layout> prepare_directory(io::file_system& disk, const std::string& path);

// The same of a directory that has to be there, for tools: makes nothing, and looks at no journal.
// not_found when there is no log directory.
result<directory_layout> find_directory(io::file_system& disk, const std::string& path);

// The lock of a log directory, for tools. None where there is no lock file, which is not made:
// nobody has the directory open.
result<std::unique_ptr<io::file_lock>> lock_if_used(io::file_system& disk,
                                                    const std::string& log_directory);

// The socket by which other processes reach who has the log open.
std::string socket_path(const directory_layout& layout);

// The process that has the log open, this one perhaps, or a program of another kind that holds its
// lock; 0 when nobody does. error_code::locked when that process cannot be seen from here.
result<int> find_owner(const directory_layout& layout);

// Whether the log can be open in another program than ringlog, which sets the directory's identity
// aside when it begins to write.
result<bool> may_be_used_by_another(io::file_system& disk, const directory_layout& layout);

// server.properties in the directory; empty when there is none.
result<model::config_map> read_server_properties(io::file_system& disk, const std::string& top);

// error_code::invalid_config for names that are no broker config, with the nearest that is.
status check_setting_names(const model::config_map& settings);

}  // namespace ringlog::node
