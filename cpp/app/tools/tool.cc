#include "app/tools/tool.h"

#include <fmt/ostream.h>
#include <regex.h>

#include <algorithm>
#include <iostream>

#include "app/tools/interruption.h"
#include "client/remote/remote_transport.h"
#include "node/node.h"

namespace ringlog::app {
namespace {

constexpr milliseconds close_wait_max{60'000};

}  // namespace

// What is no UTF-8 is replaced.
void tool_context::print(const json& value) const {
  fmt::print(out, "{}\n", value.dump(-1, ' ', false, json::error_handler_t::replace));
}

CLI::App* add_tool_command(CLI::App& program, const std::string& name,
                           const std::string& description, tool_arguments& common) {
  CLI::App* command = program.add_subcommand(name, description + ". Exit status: 0 it was done");
  command->add_option("--bootstrap-server", common.bootstrap_server,
                      "What to talk to: HOST:PORT (several with commas), or file:DIRECTORY, a log "
                      "that is opened here. Default: localhost:9092");
  command->add_option("--command-config", common.command_config,
                      "A file of client properties, such as request.timeout.ms=5000");
  command->add_flag("--json", common.as_json, "JSON in place of text");
  return command;
}

int run_tool(const std::string& name, const std::function<status(const tool_context&)>& run) {
  catch_interruptions();
  const status done = run({std::cin, std::cout, std::cerr});
  std::cout.flush();
  client::remote::end_network(close_wait_max);
  node::close_all(close_wait_max);
  if (done.ok()) return 0;
  fmt::print(std::cerr, "ringlog {}: {}\n", name, done.failure().message);
  return tool_failed;
}

struct name_pattern::compiled {
  regex_t expression{};
  bool is_made = false;
  compiled() = default;
  compiled(const compiled&) = delete;
  compiled& operator=(const compiled&) = delete;
  ~compiled() {
    if (is_made) ::regfree(&expression);
  }
};

result<name_pattern> name_pattern::make(const std::string& text) {
  std::string alternatives = text;
  std::ranges::replace(alternatives, ',', '|');
  auto made = std::make_shared<compiled>();
  const std::string whole = "^(" + alternatives + ")$";
  const int failed = ::regcomp(&made->expression, whole.c_str(), REG_EXTENDED | REG_NOSUB);
  if (failed != 0) {
    std::string why(200, '\0');
    why.resize(::regerror(failed, &made->expression, why.data(), why.size()) - 1);
    return make_error(error_code::invalid_argument, "'{}' is no pattern of names: {}", text, why);
  }
  made->is_made = true;
  name_pattern pattern;
  pattern.compiled_ = std::move(made);
  return pattern;
}

bool name_pattern::matches(const std::string& name) const {
  return ::regexec(&compiled_->expression, name.c_str(), 0, nullptr, 0) == 0;
}

result<std::pair<std::string, std::string>> parse_setting(const std::string& text) {
  const auto sign = text.find('=');
  if (sign == std::string::npos || sign == 0) {
    return make_error(error_code::invalid_argument, "'{}' is not NAME=VALUE", text);
  }
  return std::pair(text.substr(0, sign), text.substr(sign + 1));
}

result<std::vector<std::pair<std::string, std::string>>> parse_settings(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> found;
  for (std::size_t at = 0; at < text.size();) {
    const auto sign = text.find('=', at);
    const bool is_list = sign != std::string::npos && text.compare(sign + 1, 1, "[") == 0;
    const auto last = is_list ? text.find(']', sign) : at;
    const auto comma = std::min(text.find(',', last), text.size());
    TRY_ASSIGN(auto setting, parse_setting(text.substr(at, comma - at)));
    std::string& value = setting.second;
    if (is_list && value.ends_with(']')) value = value.substr(1, value.size() - 2);
    found.push_back(std::move(setting));
    at = comma + 1;
  }
  return found;
}

}  // namespace ringlog::app
