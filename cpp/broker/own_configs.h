#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "io/file.h"
#include "model/config_def.h"

namespace ringlog::broker {

// Configs of topics and brokers that Kafka does not know: those whose names begin with "ringlog.".
// Kafka would refuse to alter a topic that has one, so they are not in its metadata but in a file
// of ours beside the log directory, `ringlog.properties`: a line for each, its name behind what it
// is set on.
//
//   ringlog.durability=page_cache                                  the default of all brokers
//   broker.1.ringlog.durability=fsync                              the broker of that id
//   topic.2Wvg0fPkR3GSK9uYYTrHLA.ringlog.durability=page_cache     the topic of that id
//
// Topics go by id, so that one made anew under an old name has nothing of the old one.
//
// Any thread reads; changes are made on the engine's thread, one at a time, and block for the
// writing of the file.
class own_configs {
 public:
  // No value: the config is removed.
  using changes = std::vector<std::pair<std::string, std::optional<std::string>>>;
  static bool is_own(std::string_view config_name);
  static std::string topic_scope(const uuid& id);
  static std::string broker_scope(std::string_view broker_id);  // "": the default of all

  // Where the file is of the log that has that journal.
  static std::string path_beside(const std::string& journal_directory);

  // error_code::invalid_config for a line that cannot be understood.
  static result<std::unique_ptr<own_configs>> open(io::file_system& disk, std::string path);
  // Kept in memory only.
  own_configs() = default;

  // What is set in the scope.
  model::config_map of(const std::string& scope) const;

  // All or nothing, durable on success. Answers the changes that undo it.
  result<changes> change(const std::string& scope, const changes& wanted);

  // Removes all of a scope, or of the topics that are not among the known ones.
  status forget(const std::string& scope);
  status forget_topics_but(const std::function<bool(const uuid&)>& is_known);

 private:
  using all_values = std::map<std::string, model::config_map>;  // by scope

  status parse(const model::config_map& lines);
  status replace(all_values values);

  io::file_system* disk_ = nullptr;
  std::string path_;
  mutable std::mutex mutex_;
  all_values values_;
};

}  // namespace ringlog::broker
