#include <fmt/ostream.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "app/commands.h"
#include "app/tools/client_properties.h"
#include "app/tools/interruption.h"
#include "app/tools/progress.h"
#include "app/tools/tool.h"

namespace ringlog::app {
namespace {

struct perf_produce_arguments : tool_arguments {
  std::string topic;
  std::int64_t count = 0;
  std::size_t record_size = 0;
  double throughput = -1;
  std::vector<std::string> properties;
};

void declare(CLI::App& command, perf_produce_arguments& given) {
  command.add_option("--topic", given.topic, "Made when it is missing and may be")->required();
  command.add_option("--num-records", given.count, "How many to send")
      ->required()
      ->check(CLI::PositiveNumber);
  command.add_option("--record-size", given.record_size, "Bytes of each value")->required();
  command.add_option("--throughput", given.throughput, "Records a second, at most. -1: no limit");
  command.add_option("--producer-props,--producer-property,--command-property", given.properties,
                     "NAME=VALUE of the producer, such as linger.ms=5");
}

// Latencies of some of the records, and of all the slowest batch and the first failure.
class latencies {
 public:
  static constexpr std::int64_t samples_max = 500'000;

  void note(nanoseconds latency, const std::optional<error>& failure) {
    const std::lock_guard guard(mutex_);
    if (failure) {
      if (!failure_) failure_ = failure;
      return;
    }
    samples_.push_back(static_cast<double>(latency.count()) / 1e6);
  }

  std::vector<double> sorted() const {
    const std::lock_guard guard(mutex_);
    std::vector<double> all = samples_;
    std::ranges::sort(all);
    return all;
  }

  status outcome() const {
    const std::lock_guard guard(mutex_);
    return failure_ ? status(*failure_) : status();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<double> samples_;  // milliseconds
  std::optional<error> failure_;
};

// Values of letters, each another piece of one text.
class values {
 public:
  values(std::size_t size, random_source& random) : size_(size), random_(random) {
    text_.resize(size + pieces);
    for (char& letter : text_) letter = static_cast<char>('A' + random.below(26));
  }
  bytes_view next() {
    return as_bytes(std::string_view(text_).substr(random_.below(pieces), size_));
  }

 private:
  static constexpr std::size_t pieces = 4096;
  const std::size_t size_;
  random_source& random_;
  std::string text_;
};

status send_all(const perf_produce_arguments& given, client::producer& sender,
                const std::shared_ptr<latencies>& noted, std::int64_t& sent) {
  TRY_ASSIGN(auto* const topic, sender.topic(given.topic, cluster::limit()));
  client::transport& over = sender.over();
  values source(given.record_size, over.random());
  progress bar("records sent", given.count, over.time());
  const monotonic_time start = over.time().now();
  const std::int64_t step = (given.count + latencies::samples_max - 1) / latencies::samples_max;
  for (; sent < given.count && !was_interrupted(); ++sent) {
    const monotonic_time now = over.time().now();
    if (given.throughput > 0) {
      const auto due = start + nanoseconds(static_cast<std::int64_t>(
                                   1e9 * static_cast<double>(sent) / given.throughput));
      if (now < due) std::this_thread::sleep_for(due - now);
    }
    client::outgoing_record record;
    record.value = source.next();
    const monotonic_time began = over.time().now();
    TRY_ASSIGN(const auto taken, sender.send(*topic, record, cluster::limit()));
    if (sent % step != 0) continue;
    taken.batch->when_done([noted, began, batch = taken.batch, &time = over.time()] {
      noted->note(time.now() - began, batch->failure());
    });
    bar.show(sent);
  }
  return {};
}

double at(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

// The words of kafka-producer-perf-test.
void print(const perf_produce_arguments& given, std::int64_t sent, nanoseconds took,
           const std::vector<double>& sorted, const tool_context& to) {
  const double seconds = static_cast<double>(took.count()) / 1e9;
  const double rate = static_cast<double>(sent) / seconds;
  const double megabytes = rate * static_cast<double>(given.record_size) / (1024.0 * 1024.0);
  double sum = 0;
  for (const double each : sorted) sum += each;
  const double mean = sorted.empty() ? 0 : sum / static_cast<double>(sorted.size());
  if (given.as_json) {
    return to.print({{"records", sent},
                     {"seconds", seconds},
                     {"records_per_second", rate},
                     {"megabytes_per_second", megabytes},
                     {"latency_ms",
                      {{"mean", mean},
                       {"max", at(sorted, 1)},
                       {"p50", at(sorted, 0.5)},
                       {"p95", at(sorted, 0.95)},
                       {"p99", at(sorted, 0.99)},
                       {"p99.9", at(sorted, 0.999)}}}});
  }
  fmt::print(to.out,
             "{} records sent, {:.1f} records/sec ({:.2f} MB/sec), {:.2f} ms avg latency, "
             "{:.2f} ms max latency, {:.2f} ms 50th, {:.2f} ms 95th, {:.2f} ms 99th, "
             "{:.2f} ms 99.9th.\n",
             sent, rate, megabytes, mean, at(sorted, 1), at(sorted, 0.5), at(sorted, 0.95),
             at(sorted, 0.99), at(sorted, 0.999));
}

status run(const perf_produce_arguments& given, const tool_context& to) {
  client::producer_options options;
  TRY_ASSIGN(const auto settings, client_properties_of(given.command_config, given.properties));
  TRY(apply_producer_properties(settings, options));
  if (options.acks != broker::required_acks::all) options.enable_idempotence = false;
  options.null_keys = client::null_key_partitioning::sticky;
  TRY_ASSIGN(cluster target, cluster::open(given, true));
  const clock& time = target.over().time();
  const auto sender = client::producer::make(target.shared_transport(), options);
  const auto noted = std::make_shared<latencies>();
  const monotonic_time start = time.now();
  std::int64_t sent = 0;
  const status done = send_all(given, *sender, noted, sent);
  const status flushed = sender->flush(client::wait_limit::after(cluster::call_wait_max));
  const nanoseconds took = time.now() - start;
  const status closed = sender->close(client::wait_limit::after(cluster::call_wait_max));
  TRY(done);
  TRY(flushed);
  TRY(noted->outcome());
  print(given, sent, took, noted->sorted(), to);
  return closed;
}

}  // namespace

void add_perf_produce_command(CLI::App& program, int& outcome) {
  add_tool<perf_produce_arguments>(program, outcome, "perf-produce",
                                   "How fast records are sent and stored, as "
                                   "kafka-producer-perf-test measures",
                                   declare, run);
}

}  // namespace ringlog::app
