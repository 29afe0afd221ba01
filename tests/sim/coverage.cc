#include "coverage.h"

#include "broker_run.h"
#include "storage_run.h"

namespace ringlog::sim {
namespace {

// Those of both harnesses, then the metadata log's, which only a broker has.
constexpr crash_place all_places[] = {
    {"durable_write", "journal block"},
    {"durable_sync", "journal block"},
    {"create", "journal file"},
    {"write", "journal file"},
    {"sync", "journal file"},
    {"remove", "journal file"},
    {"create", "journal checkpoint"},
    {"write", "journal checkpoint"},
    {"sync", "journal checkpoint"},
    {"rename", "journal checkpoint"},
    {"sync_directory", "journal directory"},
    {"create", "segment"},
    {"write", "segment"},
    {"sync", "segment"},
    {"resize", "segment"},
    {"create", "index"},
    {"write", "index"},
    {"sync", "index"},
    {"create", "producer snapshot"},
    {"write", "producer snapshot"},
    {"sync", "producer snapshot"},
    {"rename", "producer snapshot"},
    {"create", "leader epochs"},
    {"write", "leader epochs"},
    {"sync", "leader epochs"},
    {"rename", "leader epochs"},
    {"create", "partition metadata"},
    {"write", "partition metadata"},
    {"sync", "partition metadata"},
    {"create", "offset checkpoint"},
    {"write", "offset checkpoint"},
    {"sync", "offset checkpoint"},
    {"rename", "offset checkpoint"},
    {"rename", "meta.properties"},
    {"create", "clean shutdown marker"},
    {"rename", "clean shutdown marker"},
    {"remove", "clean shutdown marker"},
    {"sync_directory", "log directory"},
    {"make_directory", "partition directory"},
    {"sync_directory", "partition directory"},
    {"rename", "deleted partition"},
    {"remove", "deleted partition"},
    {"remove", "file of a deleted partition"},
    {"rename", "deleted segment file"},
    {"remove", "deleted segment file"},
    {"create", "metadata segment"},
    {"write", "metadata segment"},
    {"sync", "metadata segment"},
    {"create", "metadata log's other file"},
    {"write", "metadata log's other file"},
    {"sync", "metadata log's other file"},
};
constexpr std::size_t places_of_metadata = 6;

constexpr std::string_view common_occurrences[] = {
    "clean closes",
    "kills",
    "boots after a crash",
    "crash during a start",
    "crash during a clean close",
    "crash kept a write",
    "crash lost a write",
    "crash tore a write",
    "crash kept a write under way",
    "crash lost a write under way",
    "crash tore a write under way",
    "crash left zeros at the end",
    "crash lost a change of size",
    "crash kept a name",
    "crash lost a name",
    "recovery: the journal was replayed",
    "recovery: nothing to replay",
    "recovery: replayed new logs",
    "recovery: replayed batches",
    "recovery: replayed log starts",
    "recovery: replayed removals",
    "recovery: replayed unfinished blocks",
    "storage: retention took segments",
    "segments rolled",
    "checkpoints of a journal in use",
    "log starts answered",
    "records acknowledged",
    "resent batches known as duplicates",
    "fault: sync failed",
};

constexpr std::string_view storage_occurrences[] = {
    "opened clean",
    "opened unclean",
    "recovery: replayed cuts",
    "recovery: damage was refused",
    "cuts answered",
    "logs made again under the same name",
    "fault: disk full",
    "fault: write failed",
    "fault: sync of a directory failed",
    "fault: bit flipped",
    "full disk: healed",
    "storage: the disk is full",
    "storage: the journal does not grow",
    "appends refused: full disk",
    "appends refused: full journal",
    "appends after a refusal",
    "failing disk: read-only",
};

constexpr std::string_view broker_occurrences[] = {
    "answers to administration and commits",
    "topics made again under the same name",
    "failing disk: restarted",
};

}  // namespace

const std::span<const crash_place> storage_places =
    std::span(all_places).first(std::size(all_places) - places_of_metadata);
const std::span<const crash_place> broker_places(all_places);

std::span<const harness> harnesses() {
  static const harness both[] = {
      {"storage", play_storage, storage_places, storage_occurrences},
      {"broker", play_broker, broker_places, broker_occurrences},
  };
  return both;
}

std::vector<std::string> missing(const harness& of, const io::sim::event_counts& events) {
  std::vector<std::string> names;
  const auto look_for = [&](const std::string& name) {
    const auto found = events.find(name);
    if (found == events.end() || found->second == 0) names.push_back(name);
  };
  for (const crash_place& place : of.places) {
    look_for(name_of(place.what, false, place.role));
    look_for(name_of(place.what, true, place.role));
  }
  for (const std::string_view name : common_occurrences) look_for(std::string(name));
  for (const std::string_view name : of.occurrences) look_for(std::string(name));
  return names;
}

}  // namespace ringlog::sim
