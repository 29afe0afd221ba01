#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/tools/cluster.h"

namespace ringlog::app {

// Objects that keep the order of their members.
using json = nlohmann::ordered_json;

// What every tool is told.
struct tool_arguments : connection_arguments {
  bool as_json = false;
};

// Where a tool reads and writes, and what it talks to.
struct tool_context {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;

  void print(const json& value) const;  // on one line
};

inline constexpr int tool_failed = 1;

CLI::App* add_tool_command(CLI::App& program, const std::string& name,
                           const std::string& description, tool_arguments& common);

// Runs and ends: closes what was opened, says why it failed.
int run_tool(const std::string& name, const std::function<status(const tool_context&)>& run);

// Adds a tool to the program. `declare` adds the options of its arguments, `run` does the work;
// what it fails with is told under the tool's name, and the exit status is tool_failed.
template <typename Arguments>
void add_tool(CLI::App& program, int& outcome, const std::string& name,
              const std::string& description, void (*declare)(CLI::App&, Arguments&),
              status (*run)(const Arguments&, const tool_context&)) {
  auto given = std::make_shared<Arguments>();
  CLI::App* command = add_tool_command(program, name, description, *given);
  declare(*command, *given);
  command->callback([given, run, name, &outcome] {
    outcome = run_tool(name, [&](const tool_context& context) { return run(*given, context); });
  });
}

// A name, or a pattern for whole names (POSIX extended regular expression), as Kafka's tools take
// for --topic; a comma separates alternatives.
class name_pattern {
 public:
  static result<name_pattern> make(const std::string& text);
  bool matches(const std::string& name) const;

 private:
  struct compiled;
  std::shared_ptr<const compiled> compiled_;
};

// "a=b,c=[d,e]": as kafka-configs takes them for --add-config.
result<std::vector<std::pair<std::string, std::string>>> parse_settings(const std::string& text);

// "name=value".
result<std::pair<std::string, std::string>> parse_setting(const std::string& text);

}  // namespace ringlog::app
