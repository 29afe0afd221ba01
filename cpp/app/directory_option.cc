#include <CLI/CLI.hpp>

#include "app/commands.h"

namespace ringlog::app {

void add_directory_option(CLI::App& command, std::string& target) {
  command
      .add_option("directory", target,
                  "What file:DIRECTORY names: one of ringlog, or a Kafka log directory")
      ->required();
}

std::string without_scheme(const std::string& directory) {
  constexpr std::string_view scheme = "file:";
  return directory.starts_with(scheme) ? directory.substr(scheme.size()) : directory;
}

}  // namespace ringlog::app
