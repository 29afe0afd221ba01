// The program `ringlog`: one sub-command per file.

#include <CLI/CLI.hpp>

#include "app/commands.h"

int main(int count, char** arguments) {
  CLI::App program("Kafka's log format and core, embedded and durable");
  program.set_version_flag("--version", RINGLOG_VERSION);
  program.require_subcommand(1);
  int outcome = 0;
  ringlog::app::add_serve_command(program, outcome);
  ringlog::app::add_dump_command(program, outcome);
  ringlog::app::add_check_command(program, outcome);
  ringlog::app::add_recover_command(program, outcome);
  ringlog::app::add_backup_command(program, outcome);
  CLI11_PARSE(program, count, arguments);
  return outcome;
}
