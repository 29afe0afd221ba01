#include "broker/own_configs.h"

#include "base/limits.h"
#include "base/properties.h"

namespace ringlog::broker {

namespace {

constexpr std::string_view own_prefix = "ringlog.";
constexpr std::string_view topic_prefix = "topic.";
constexpr std::string_view broker_prefix = "broker.";
constexpr std::string_view head =
    "# Configs of ringlog that Kafka does not know, kept by ringlog itself: change them with an\n"
    "# admin client, or here while no program has the directory open.\n";

std::optional<uuid> topic_of(std::string_view scope) {
  if (!scope.starts_with(topic_prefix)) return std::nullopt;
  const auto id = uuid::parse(scope.substr(topic_prefix.size()));
  return id.ok() ? std::optional(*id) : std::nullopt;
}

bool is_scope(std::string_view scope) {
  return scope.empty() || scope.starts_with(broker_prefix) || topic_of(scope).has_value();
}

}  // namespace

bool own_configs::is_own(std::string_view config_name) {
  return config_name.starts_with(own_prefix);
}

std::string own_configs::topic_scope(const uuid& id) {
  return fmt::format("{}{}", topic_prefix, id);
}

std::string own_configs::broker_scope(std::string_view broker_id) {
  return broker_id.empty() ? std::string() : fmt::format("{}{}", broker_prefix, broker_id);
}

std::string own_configs::path_beside(const std::string& journal_directory) {
  return io::parent_of(journal_directory) + "/ringlog.properties";
}

result<std::unique_ptr<own_configs>> own_configs::open(io::file_system& disk, std::string path) {
  auto opened = std::make_unique<own_configs>();
  opened->disk_ = &disk;
  opened->path_ = std::move(path);
  TRY_ASSIGN(const bool there, disk.exists(opened->path_));
  if (!there) return opened;
  TRY_ASSIGN(const byte_buffer content,
             io::read_file(disk, opened->path_, limits::settings_bytes_max));
  TRY(opened->parse(parse_properties(as_text(content))));
  return opened;
}

// What a later version knows is kept as it is.
status own_configs::parse(const model::config_map& lines) {
  for (const auto& [key, value] : lines) {
    const std::size_t dot = key.find("." + std::string(own_prefix));
    const bool has_scope = dot != std::string::npos;
    const std::string scope = has_scope ? key.substr(0, dot) : "";
    const std::string name = has_scope ? key.substr(dot + 1) : key;
    if (!is_own(name) || !is_scope(scope)) {
      return make_error(error_code::invalid_config,
                        "{}: '{}' is no config of ringlog: write ringlog.NAME, "
                        "broker.ID.ringlog.NAME or topic.ID.ringlog.NAME",
                        path_, key);
    }
    const auto* definition = model::find_topic_config(name);
    if (definition != nullptr) {
      status checked = model::check_config_value(*definition, value);
      if (!checked.ok()) return std::move(checked.failure()).with_context(path_);
    }
    values_[scope][name] = value;
  }
  return {};
}

model::config_map own_configs::of(const std::string& scope) const {
  const std::lock_guard guard(mutex_);
  const auto found = values_.find(scope);
  return found == values_.end() ? model::config_map() : found->second;
}

result<own_configs::changes> own_configs::change(const std::string& scope, const changes& wanted) {
  all_values values = values_;
  changes undo;
  model::config_map& set = values[scope];
  for (const auto& [name, value] : wanted) {
    const auto before = set.find(name);
    undo.emplace_back(name, before == set.end() ? std::nullopt : std::optional(before->second));
    if (value) {
      set[name] = *value;
    } else {
      set.erase(name);
    }
  }
  if (set.empty()) values.erase(scope);
  TRY(replace(std::move(values)));
  return undo;
}

status own_configs::forget(const std::string& scope) {
  all_values values = values_;
  if (values.erase(scope) == 0) return {};
  return replace(std::move(values));
}

status own_configs::forget_topics_but(const std::function<bool(const uuid&)>& is_known) {
  all_values values = values_;
  const auto erased = std::erase_if(values, [&](const auto& one) {
    const auto id = topic_of(one.first);
    return id && !is_known(*id);
  });
  return erased == 0 ? status() : replace(std::move(values));
}

status own_configs::replace(all_values values) {
  if (disk_ != nullptr) {
    std::string text(head);
    for (const auto& [scope, set] : values) {
      for (const auto& [name, value] : set) {
        text += fmt::format("{}{}{}={}\n", scope, scope.empty() ? "" : ".", name, value);
      }
    }
    TRY(io::replace_file(*disk_, path_, as_bytes(text)));
  }
  const std::lock_guard guard(mutex_);
  values_ = std::move(values);
  return {};
}

}  // namespace ringlog::broker
