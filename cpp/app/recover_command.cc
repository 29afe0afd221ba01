#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "io/system_clock.h"
#include "node/recover_directory.h"
#include "node/stderr_log_sink.h"

namespace ringlog::app {

namespace {

constexpr int status_failed = 2;

void print(const node::recovered_directory& done, double seconds, bool as_json) {
  const storage::replayed_journal& replayed = done.replayed;
  if (as_json) {
    const nlohmann::ordered_json object{
        {"directory", done.layout.top},  {"logDirectory", done.layout.log_directory},
        {"recovered", !done.was_closed}, {"blocks", replayed.blocks},
        {"batches", replayed.batches},   {"partitions", replayed.partitions},
        {"bytes", replayed.bytes},       {"seconds", seconds}};
    fmt::print(std::cout, "{}\n",
               object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else if (done.was_closed) {
    fmt::print(std::cout, "{}: ringlog left nothing open here; nothing was changed\n",
               done.layout.log_directory);
  } else {
    fmt::print(std::cout,
               "{}: {} blocks of the journal replayed ({} batches, {} partitions, {} bytes) and "
               "closed in {:.2f} s: it is a Kafka log directory again\n",
               done.layout.log_directory, replayed.blocks, replayed.batches, replayed.partitions,
               replayed.bytes, seconds);
  }
}

}  // namespace

void add_recover_command(CLI::App& program, int& outcome) {
  struct arguments {
    std::string directory;
    bool json = false;
  };
  auto given = std::make_shared<arguments>();
  CLI::App* command = program.add_subcommand(
      "recover",
      "Make a directory that ringlog had open when it was killed a Kafka log directory again: put "
      "what the journal holds into the segments and close it. Exit status: 0 it is one, 2 it "
      "could not be done");
  add_directory_option(*command, given->directory);
  command->add_flag("--json", given->json, "One JSON object in place of text");
  command->callback([given, &outcome] {
    const io::system_clock time;
    const monotonic_time begin = time.now();
    node::stderr_log_sink sink;
    const auto done = node::recover_directory(without_scheme(given->directory), sink);
    if (done.ok()) {
      return print(*done, std::chrono::duration<double>(time.now() - begin).count(), given->json);
    }
    fmt::print(std::cerr, "ringlog recover: {}\n", done.failure().message);
    outcome = status_failed;
  });
}

}  // namespace ringlog::app
