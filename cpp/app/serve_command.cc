#include <fmt/ostream.h>
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "node/address.h"
#include "node/serving.h"
#include "node/stderr_log_sink.h"

namespace ringlog::app {

namespace {

constexpr int status_failed = 2;
constexpr milliseconds drain_max{5'000};
constexpr milliseconds close_wait_max{60'000};

struct serve_arguments {
  std::string data = "data";
  std::vector<std::string> listen = {"localhost:9092"};
  std::string advertise;
  std::vector<std::string> settings;
  bool verbose = false;
};

result<model::config_map> settings_of(const std::vector<std::string>& given) {
  model::config_map settings;
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) {
      return make_error(error_code::invalid_argument, "--set {}: write NAME=VALUE", one);
    }
    settings.insert_or_assign(one.substr(0, equals), one.substr(equals + 1));
  }
  TRY(node::check_setting_names(settings));
  return settings;
}

result<node::serving_options> options_of(const serve_arguments& given) {
  node::serving_options options;
  for (const std::string& one : given.listen) {
    TRY_ASSIGN(io::host_port where, io::host_port::parse(one));
    options.listen.push_back(std::move(where));
  }
  if (!given.advertise.empty()) {
    TRY_ASSIGN(options.advertised, io::host_port::parse(given.advertise));
  }
  return options;
}

// Every connection takes a descriptor.
void raise_descriptor_limit() {
  rlimit allowed{};
  if (::getrlimit(RLIMIT_NOFILE, &allowed) != 0) return;
  allowed.rlim_cur = allowed.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &allowed);  // refused: fewer connections
}

std::string address_of(const std::string& data) {
  const bool is_address = data.starts_with("file:") || data.starts_with("memory:");
  return is_address ? data : "file:" + data;
}

// Serves until SIGTERM or SIGINT, which are blocked in all threads by now.
status serve(const serve_arguments& given, const sigset_t& ends) {
  TRY_ASSIGN(const node::serving_options options, options_of(given));
  TRY_ASSIGN(const model::config_map settings, settings_of(given.settings));
  static node::stderr_log_sink sink(given.verbose ? log_level::info : log_level::warning);
  TRY_ASSIGN(auto opened, node::open(address_of(given.data), settings, &sink));
  const std::string address = opened->address();
  TRY_ASSIGN(const auto serving, node::serving::start(std::move(opened), options));
  std::string where;
  for (const io::socket_address& one : serving->addresses()) {
    where += (where.empty() ? "" : ", ") + one.text();
  }
  fmt::print(std::cout, "ringlog {} listens on {}; data in {}\n", RINGLOG_VERSION, where, address);
  std::cout.flush();
  int signal = 0;
  ::sigwait(&ends, &signal);
  serving->close(drain_max);
  return node::close(address, close_wait_max);
}

}  // namespace

void add_serve_command(CLI::App& program, int& outcome) {
  auto given = std::make_shared<serve_arguments>();
  CLI::App* command = program.add_subcommand(
      "serve",
      "Serve a log to Kafka clients until SIGTERM or SIGINT. Exit status: 0 it was closed cleanly, "
      "2 it could not be served");
  command->add_option("--data", given->data, "Directory of the log; or memory: for one on RAM")
      ->capture_default_str();
  command
      ->add_option("--listen", given->listen,
                   "HOST:PORT, several times if wanted; a name means all its addresses, port 0 a "
                   "free one, :PORT all addresses of this machine")
      ->capture_default_str();
  command->add_option(
      "--advertise", given->advertise,
      "HOST:PORT that clients are told, where they cannot reach what is listened on");
  command->add_option("--set", given->settings, "NAME=VALUE, a broker setting by Kafka's name");
  command->add_flag("-v,--verbose", given->verbose,
                    "Say on standard error why connections end, and more");
  command->callback([given, &outcome] {
    raise_descriptor_limit();
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const status done = serve(*given, ends);
    node::close_all(close_wait_max);
    if (done.ok()) return;
    fmt::print(std::cerr, "ringlog serve: {}\n", done.failure().message);
    outcome = status_failed;
  });
}

}  // namespace ringlog::app
