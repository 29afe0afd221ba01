// The program `ringlog`: one sub-command per file. Under the name of one of Kafka's tools it is
// that sub-command.

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"

namespace {

constexpr std::array<std::pair<std::string_view, const char*>, 5> links{{
    {"kafka-topics", "topics"},
    {"kafka-configs", "configs"},
    {"kafka-consumer-groups", "groups"},
    {"kafka-console-producer", "produce"},
    {"kafka-console-consumer", "consume"},
}};

// With the sub-command that the program's name stands for.
std::vector<char*> with_command(int count, char** arguments) {
  std::vector<char*> all(arguments, arguments + count);
  const std::string name = std::filesystem::path(arguments[0]).stem().string();
  for (const auto& [link, command] : links) {
    if (name == link) all.insert(all.begin() + 1, const_cast<char*>(command));
  }
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App program("Kafka's log format and core, embedded and durable");
  program.set_version_flag("--version", RINGLOG_VERSION);
  program.require_subcommand(1);
  int outcome = 0;
  ringlog::app::add_serve_command(program, outcome);
  ringlog::app::add_topics_command(program, outcome);
  ringlog::app::add_configs_command(program, outcome);
  ringlog::app::add_groups_command(program, outcome);
  ringlog::app::add_produce_command(program, outcome);
  ringlog::app::add_consume_command(program, outcome);
  ringlog::app::add_offsets_command(program, outcome);
  ringlog::app::add_delete_records_command(program, outcome);
  ringlog::app::add_log_dirs_command(program, outcome);
  ringlog::app::add_quotas_command(program, outcome);
  ringlog::app::add_perf_produce_command(program, outcome);
  ringlog::app::add_perf_consume_command(program, outcome);
  ringlog::app::add_dump_command(program, outcome);
  ringlog::app::add_check_command(program, outcome);
  ringlog::app::add_recover_command(program, outcome);
  ringlog::app::add_backup_command(program, outcome);
  const std::vector<char*> all = with_command(count, arguments);
  CLI11_PARSE(program, static_cast<int>(all.size()), all.data());
  return outcome;
}
