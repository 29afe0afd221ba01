#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "io/posix_file_system.h"
#include "node/address.h"
#include "node/node.h"

namespace ringlog::app {

namespace {

constexpr int status_failed = 2;
constexpr milliseconds close_wait_max{3'600'000};

status back_up(const std::string& directory, const std::string& target) {
  io::posix_file_system disk;
  TRY(node::find_directory(disk, directory));
  const std::string address = "file:" + directory;
  {
    TRY_ASSIGN(const auto opened, node::open(address));
    TRY(opened->back_up(std::filesystem::absolute(target).lexically_normal().string()));
  }
  return node::close(address, close_wait_max);
}

}  // namespace

void add_backup_command(CLI::App& program, int& outcome) {
  struct arguments {
    std::string directory;
    std::string target;
  };
  auto given = std::make_shared<arguments>();
  CLI::App* command = program.add_subcommand(
      "backup",
      "Copy the log of a directory that nobody has open into a new Kafka log directory, which "
      "appears as a whole or not at all; settings of ringlog that Kafka does not know lie in "
      "TARGET.ringlog beside it. A process that has it open calls ringlog.backup(). Exit "
      "status: 0 it is there, 2 it is not");
  add_directory_option(*command, given->directory);
  command->add_option("target", given->target, "A directory that is not there, or an empty one")
      ->required();
  command->callback([given, &outcome] {
    const status done = back_up(without_scheme(given->directory), given->target);
    node::close_all(close_wait_max);
    if (done.ok()) return;
    fmt::print(std::cerr, "ringlog backup: {}\n", done.failure().message);
    outcome = status_failed;
  });
}

}  // namespace ringlog::app
