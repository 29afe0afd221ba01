#include "recovery_events.h"

#include <charconv>

namespace ringlog::sim {
namespace {

struct known_message {
  std::string_view part;
  const char* event;
};

constexpr known_message known_messages[] = {
    {"no space left: what was acknowledged is kept", "storage: the disk is full"},
    {"the journal does not grow", "storage: the journal does not grow"},
    {"no checkpoint: ", "storage: a checkpoint failed"},
    {"segments deleted, the log starts at", "storage: retention took segments"},
    {"is damaged behind offset", "storage: a damaged segment was kept"},
};

// What the message about a replay counts: a number, then one of these.
constexpr std::string_view replayed_things[] = {"new logs", "batches",  "log starts",
                                                "cuts",     "removals", "unfinished blocks"};

}  // namespace

void recovery_events::write(log_level, std::string_view message) {
  if (message.find("of the journal replayed") != message.npos) return note_replay(message);
  for (const known_message& known : known_messages) {
    if (message.find(known.part) != message.npos) ++events_[known.event];
  }
}

void recovery_events::note_replay(std::string_view message) {
  ++events_["recovery: the journal was replayed"];
  bool any = false;
  for (const std::string_view thing : replayed_things) {
    const std::size_t at = message.find(std::string(" ").append(thing));
    if (at == message.npos) continue;
    const std::size_t from = message.rfind(' ', at - 1) + 1;
    std::uint64_t count = 0;
    std::from_chars(message.data() + from, message.data() + at, count);
    if (count == 0) continue;
    any = true;
    ++events_[std::string("recovery: replayed ").append(thing)];
  }
  if (!any) ++events_["recovery: nothing to replay"];
}

}  // namespace ringlog::sim
