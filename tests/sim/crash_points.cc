#include "crash_points.h"

#include <fmt/format.h>

namespace ringlog::sim {
namespace {

constexpr std::string_view log_directory = "/data/log";
constexpr std::string_view journal_directory = "/data/journal";

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view role_in_journal(std::string_view name, std::string_view what) {
  if (name.ends_with(".journal")) {
    return what.starts_with("durable") ? "journal block" : "journal file";
  }
  return name.starts_with("checkpoint") ? "journal checkpoint" : "other";
}

std::string_view role_in_log_directory(std::string_view name) {
  if (name.starts_with("meta.properties")) return "meta.properties";
  if (name.starts_with(".kafka_cleanshutdown")) return "clean shutdown marker";
  if (name.find("-checkpoint") != name.npos) return "offset checkpoint";
  if (name == ".lock") return "lock";
  if (name.ends_with("-delete")) return "deleted partition";
  return name.rfind('-') == name.npos ? "metadata file" : "partition directory";
}

std::string_view role_in_partition(std::string_view folder, std::string_view name) {
  if (folder.ends_with("-delete")) return "file of a deleted partition";
  if (name.ends_with(".deleted")) return "deleted segment file";
  if (folder == "__cluster_metadata-0") {
    return name.ends_with(".log") ? "metadata segment" : "metadata log's other file";
  }
  if (name.ends_with(".log")) return "segment";
  if (name.ends_with("index")) return "index";
  if (name.find(".snapshot") != name.npos) return "producer snapshot";
  if (name.starts_with("leader-epoch-checkpoint")) return "leader epochs";
  if (name.starts_with("partition.metadata")) return "partition metadata";
  return "other";
}

}  // namespace

std::string_view role_of(const io::sim::crash_point& point) {
  const std::string_view path = point.path;
  if (path == journal_directory) return "journal directory";
  if (path == log_directory) return "log directory";
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos || slash == 0) return "other";
  const std::string_view parent = path.substr(0, slash);
  if (parent == journal_directory) return role_in_journal(last_name(path), point.what);
  if (parent == log_directory) return role_in_log_directory(last_name(path));
  if (parent.starts_with(log_directory)) {
    return role_in_partition(last_name(parent), last_name(path));
  }
  return "other";
}

std::string name_of(std::string_view what, bool is_after, std::string_view role) {
  return fmt::format("crash {} {} of {}", is_after ? "after" : "before", what, role);
}

crash_plan::crash_plan(io::sim::disk& drive, random_source& random,
                       std::span<const crash_place> places, io::sim::event_counts& events)
    : disk_(drive), random_(random), places_(places), events_(events) {
  disk_.observer = [this](const io::sim::crash_point& point) { reach(point); };
}

void crash_plan::crash_at_any(std::uint64_t operations_max) {
  place_.reset();
  left_ = random_.below(operations_max);
}

void crash_plan::crash_at_a_place() {
  place_ = places_[random_.below(places_.size())];
  after_ = random_.one_in(2);
  left_ = random_.below(2);
}

bool crash_plan::strikes(const io::sim::crash_point& point, std::string_view role) {
  if (!left_) return false;
  if (place_ && (point.what != place_->what || role != place_->role || point.is_after != after_)) {
    return false;
  }
  return (*left_)-- == 0;
}

void crash_plan::reach(const io::sim::crash_point& point) {
  if (disk_.is_off()) return;
  const std::string_view role = role_of(point);
  if (point.is_after && point.what == "create" && role == "segment" &&
      !point.path.ends_with("/00000000000000000000.log")) {
    ++segments_rolled_;
  }
  if (in_use_ && point.is_after && point.what == "rename" && role == "journal checkpoint") {
    ++journal_checkpoints_;
  }
  if (!strikes(point, role)) return;
  left_.reset();
  ++events_[name_of(point.what, point.is_after, role)];
  disk_.power_off();
}

}  // namespace ringlog::sim
