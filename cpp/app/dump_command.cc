#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/dump.h"
#include "io/posix_file_system.h"

namespace ringlog::app {

void add_dump_command(CLI::App& program, int& outcome) {
  struct arguments {
    std::vector<std::string> paths;
    bool json = false;
    dump_options options;
  };
  auto given = std::make_shared<arguments>();
  CLI::App* command = program.add_subcommand(
      "dump",
      "Print what files of a log directory hold: segments, indexes, snapshots, checkpoints");
  command->add_option("path", given->paths, "Files, partition directories or log directories")
      ->required();
  command->add_flag("--records", given->options.records, "Print the records, too");
  command->add_flag("--json", given->json, "One JSON object per line");
  command->callback([given, &outcome] {
    io::posix_file_system disk;
    entry_writer target(std::cout, given->json ? dump_format::json : dump_format::text);
    for (const std::string& path : given->paths) {
      const status dumped = dump(disk, path, given->options, target);
      if (dumped.ok()) continue;
      std::cerr << "ringlog dump: " << dumped.failure().message << '\n';
      outcome = 1;
    }
  });
}

}  // namespace ringlog::app
