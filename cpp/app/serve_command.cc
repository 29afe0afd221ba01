#include <fmt/ostream.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/serve_plan.h"
#include "node/serving.h"
#include "node/stderr_log_sink.h"

namespace ringlog::app {

namespace {

constexpr int status_failed = 2;
constexpr milliseconds drain_max{5'000};
constexpr milliseconds close_wait_max{60'000};

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** one = ::environ; *one != nullptr; ++one) variables.emplace_back(*one);
  return variables;
}

// Every connection takes a descriptor.
void raise_descriptor_limit() {
  rlimit allowed{};
  if (::getrlimit(RLIMIT_NOFILE, &allowed) != 0) return;
  allowed.rlim_cur = allowed.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &allowed);  // refused: fewer connections
}

// Serves until SIGTERM or SIGINT, which are blocked in all threads by now.
status serve(const serve_arguments& given, bool verbose, const sigset_t& ends) {
  TRY_ASSIGN(const serve_plan plan, plan_to_serve(given, environment()));
  static node::stderr_log_sink sink(log_level::debug);
  for (const std::string& one : plan.warnings) sink.write(log_level::warning, one);
  TRY_ASSIGN(auto opened, node::open(plan.address, plan.settings, &sink,
                                     verbose ? log_level::info : log_level::warning));
  const std::string address = opened->address();
  TRY_ASSIGN(const auto serving, node::serving::start(std::move(opened), plan.serving));
  std::string where;
  for (const io::socket_address& one : serving->addresses()) {
    where += (where.empty() ? "" : ", ") + one.text();
  }
  for (const io::socket_address& one : serving->http_addresses()) {
    where += fmt::format(", HTTP on {}", one.text());
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
  auto verbose = std::make_shared<bool>(false);
  CLI::App* command = program.add_subcommand(
      "serve",
      "Serve a log to Kafka clients until SIGTERM or SIGINT. Exit status: 0 it was closed cleanly, "
      "2 it could not be served. Settings are taken from --set, from variables such as "
      "KAFKA_NUM_PARTITIONS, from --config and from server.properties in the data directory: the "
      "first that has one counts");
  command->add_option("--data", given->data,
                      "Directory of the log; or memory: for one on RAM. Default: log.dirs of the "
                      "settings, or data");
  command->add_option(
      "--listen", given->listen,
      "HOST:PORT, several times if wanted; a name means all its addresses, port 0 a free one, "
      ":PORT "
      "all addresses of this machine. Default: listeners of the settings, or localhost:9092");
  command->add_option("--advertise", given->advertise,
                      "HOST:PORT that clients are told, where they cannot reach what is listened "
                      "on. Default: advertised.listeners of the settings");
  command->add_option("--http", given->http,
                      "PORT of this machine, or HOST:PORT, for GET /metrics (Prometheus' text "
                      "format) and GET /health. Default: no such endpoint");
  command->add_option("--nodes", given->nodes,
                      "How many brokers clients are to see, on ports from that of --listen on, "
                      "with leaders spread among them, for trying their cluster code; there is one "
                      "copy of the data all the same. Default: 1");
  command->add_option("--config", given->config_file, "Kafka's server.properties, or one like it");
  command->add_option("--set", given->settings, "NAME=VALUE, a broker setting by Kafka's name");
  command->add_flag("-v,--verbose", *verbose,
                    "Say on standard error why connections end, and more");
  command->callback([given, verbose, &outcome] {
    raise_descriptor_limit();
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const status done = serve(*given, *verbose, ends);
    node::close_all(close_wait_max);
    if (done.ok()) return;
    fmt::print(std::cerr, "ringlog serve: {}\n", done.failure().message);
    outcome = status_failed;
  });
}

}  // namespace ringlog::app
