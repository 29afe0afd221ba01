#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/check.h"
#include "app/commands.h"
#include "io/posix_file_system.h"
#include "io/system_clock.h"

namespace ringlog::app {

void add_check_command(CLI::App& program, int& outcome) {
  struct arguments {
    std::string directory;
    check_options options;
  };
  auto given = std::make_shared<arguments>();
  CLI::App* command = program.add_subcommand(
      "check",
      "Check all files of a directory that nobody has open; changes nothing without --repair "
      "--yes. "
      "Exit status: 0 nothing is wrong, 1 something is, 2 it could not be checked");
  add_directory_option(*command, given->directory);
  command->add_flag("--json", given->options.json, "One JSON object in place of text");
  command->add_flag("-v,--verbose", given->options.verbose, "A line for each partition, too");
  command->add_flag("--summary", given->options.summary,
                    "Of each partition the records, their bytes and a hash (XXH3) of them");
  CLI::Option* repair = command->add_flag(
      "--repair", given->options.repair,
      "Print what can be repaired without losing what was on disk, for --yes to do");
  command->add_flag("--yes", given->options.yes, "Do it, then check again")->needs(repair);
  command->callback([given, &outcome] {
    io::posix_file_system disk;
    const io::system_clock time;
    outcome =
        check(disk, time, without_scheme(given->directory), given->options, std::cout, std::cerr);
  });
}

}  // namespace ringlog::app
