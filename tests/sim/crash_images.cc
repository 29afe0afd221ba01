#include "crash_images.h"

#include <condition_variable>
#include <future>
#include <thread>

#include "broker_clients.h"
#include "io/make_engine.h"
#include "io/posix_file_system.h"
#include "io/system_clock.h"
#include "io/system_random.h"
#include "model/batch_builder.h"
#include "node/core.h"

namespace ringlog::sim {
namespace {

constexpr std::int32_t partitions = 3;
constexpr int boots = 3;
constexpr int batches_of_a_boot = 150;
constexpr int batches_in_flight_max = 24;
constexpr std::uint64_t topic_answered = 0;  // numbers of notes; then two of each partition
constexpr milliseconds patience{30'000};

std::uint64_t sent_note(std::int32_t partition) {
  return static_cast<std::uint64_t>(2 * partition + 1);
}
std::uint64_t acknowledged_note(std::int32_t partition) { return sent_note(partition) + 1; }

std::string value_of(std::int32_t partition, std::int64_t number, std::size_t padding) {
  return fmt::format("{} {} {}", partition, number, std::string(padding, 'x'));
}

broker::new_topic topic() {
  broker::new_topic made;
  made.name = "orders";
  made.partitions = partitions;
  // An index of eight entries makes small segments.
  made.configs = {
      {"segment.index.bytes", "64"}, {"index.interval.bytes", "4000"}, {"retention.ms", "-1"}};
  return made;
}

node::core_options options_of(const std::string& directory) {
  node::core_options options{directory + "/log", directory + "/journal", {}};
  options.journal_bytes_max = 4 * limits::MiB;
  return options;
}

// Waits for what an engine's thread answers.
template <typename T, typename Start>
T wait_for(Start start) {
  auto answer = std::make_shared<std::promise<T>>();
  auto given = answer->get_future();
  start(callback<void(T)>([answer](T value) { answer->set_value(std::move(value)); }));
  CHECK(given.wait_for(patience) == std::future_status::ready, "no answer of a recorded node");
  return given.get();
}

// One boot of the recorded node.
class recorded_boot {
 public:
  recorded_boot(recorded_run& run, io::file_system& disk, io::engine_choice choice) : run_(run) {
    auto made = io::make_engine(choice, clock_, sink_);
    CHECK(made.ok(), made.failure().message);
    real_ = std::move(*made);
    engine_ = make_recording_engine(*real_, run.recording);
    thread_ = std::thread([this] { real_->run(); });
    const storage::services outside{disk, *engine_, clock_, random_, sink_};
    auto opened = node::core::open(outside, options_of(run.directory));
    CHECK(opened.ok(), opened.failure().message);
    core_ = std::move(*opened);
    const auto started = wait_for<status>([&](auto done) {
      real_->post([this, done = std::move(done)]() mutable { core_->start(std::move(done)); });
    });
    CHECK(started.ok(), started.failure().message);
  }

  ~recorded_boot() {
    real_->stop();
    thread_.join();
    core_.reset();
    real_->discard();
  }

  void create_topic() {
    const auto made = wait_for<result<broker::created_topic>>(
        [&](auto done) { core_->broker().create_topic(topic(), false, std::move(done)); });
    CHECK(made.ok(), made.failure().message);
    run_.recording.note(topic_answered, 1);
  }

  // Goes on where each partition ends: the number of a record is its offset, and what was on its
  // way when the last boot ended may not have been taken. Returns without waiting for the last
  // answers.
  void produce(random_source& random) {
    std::vector<std::int64_t> next;
    for (std::int32_t p = 0; p < partitions; ++p) next.push_back(end_of(p));
    for (int i = 0; i < batches_of_a_boot; ++i) {
      const auto partition = static_cast<std::int32_t>(random.below(partitions));
      std::int64_t& number = next[static_cast<std::size_t>(partition)];
      model::batch_builder builder;
      for (std::uint64_t records = 1 + random.below(4); records > 0; --records) {
        const std::size_t padding = random.below(random.one_in(10) ? 60'000 : 3'000);
        builder.append(clock_.wall_ms(), std::nullopt,
                       as_bytes(value_of(partition, number++, padding)));
      }
      send(partition, number, std::move(builder).finish({}));
    }
  }

  void close() {
    const auto closed = wait_for<status>([&](auto done) {
      real_->post([this, done = std::move(done)]() mutable { core_->close(std::move(done)); });
    });
    CHECK(closed.ok(), closed.failure().message);
  }

 private:
  std::int64_t end_of(std::int32_t partition) {
    const auto end = wait_for<result<broker::listed_offset>>([&](auto done) {
      core_->broker().list_offset(
          {.source = {"orders", partition_id_t(partition)}, .timestamp = broker::latest_timestamp},
          std::move(done));
    });
    CHECK(end.ok(), end.failure().message);
    return end->offset.value();
  }

  void send(std::int32_t partition, std::int64_t end, byte_buffer batch) {
    {
      std::unique_lock guard(mutex_);
      const auto has_room = [this] { return in_flight_ < batches_in_flight_max; };
      CHECK(changed_.wait_for(guard, patience, has_room), "a recorded node stands still");
      ++in_flight_;
    }
    run_.recording.note(sent_note(partition), static_cast<std::uint64_t>(end));
    broker::produce_request request;
    request.target = {"orders", partition_id_t(partition)};
    request.batches = std::move(batch);
    request.timeout_ms = patience.count();
    core_->broker().produce(
        std::move(request), [this, partition, end](const result<broker::produce_answer>& answer) {
          if (answer.ok()) {
            run_.recording.note(acknowledged_note(partition), static_cast<std::uint64_t>(end));
          }
          const std::lock_guard guard(mutex_);
          --in_flight_;
          changed_.notify_one();
        });
  }

  recorded_run& run_;
  io::system_clock clock_;
  io::system_random random_;
  null_log_sink sink_;
  std::unique_ptr<io::loop> real_;
  std::unique_ptr<io::engine> engine_;
  std::thread thread_;
  std::unique_ptr<node::core> core_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  int in_flight_ = 0;
};

// How many records each partition was sent, or had acknowledged, at a moment of the recording.
struct promises {
  bool topic_is_there = false;
  std::vector<std::int64_t> sent = std::vector<std::int64_t>(partitions);
  std::vector<std::int64_t> acknowledged = std::vector<std::int64_t>(partitions);
};

promises promises_at(const disk_recording& recording, std::size_t count) {
  promises made;
  for (std::size_t i = 0; i < count; ++i) {
    const recorded& what = recording.operations()[i];
    if (what.what != recorded::kind::note) continue;
    if (what.number == topic_answered) made.topic_is_there = true;
    for (std::int32_t p = 0; p < partitions; ++p) {
      const auto value = static_cast<std::int64_t>(what.position);
      if (what.number == sent_note(p)) made.sent[static_cast<std::size_t>(p)] = value;
      if (what.number == acknowledged_note(p)) {
        made.acknowledged[static_cast<std::size_t>(p)] = value;
      }
    }
  }
  return made;
}

violation check_partition(broker_port& port, std::int32_t partition, std::int64_t acknowledged,
                          std::int64_t sent, random_source& random) {
  const auto broken = [&](const std::string& what) -> violation {
    return fmt::format("partition {}: {}", partition, what);
  };
  const auto bounds = port.ask_bounds();
  if (!bounds.ok()) return broken(bounds.failure().message);
  std::vector<std::string> values;
  const status read = read_records(port, *bounds, random, values);
  if (!read.ok()) return broken("cannot be read: " + read.failure().message);
  const std::int64_t found = std::ssize(values);
  if (found < acknowledged) return broken(fmt::format("{} of {} lost", found, acknowledged));
  if (found > sent) return broken(fmt::format("{} found, {} sent", found, sent));
  for (std::int64_t i = 0; i < found; ++i) {
    const std::string expected = value_of(partition, i, 0);
    if (!values[static_cast<std::size_t>(i)].starts_with(expected)) {
      return broken(fmt::format("record {} is another one", i));
    }
  }
  return std::nullopt;
}

// A disk on which the directory's parents are durable.
status make_parents(io::sim::disk& disk, const std::string& directory) {
  TRY(disk.make_directories(directory));
  for (std::string at = directory; at != "/" && at != "."; at = io::parent_of(at)) {
    TRY(disk.sync_directory(io::parent_of(at)));
  }
  return {};
}

// An image that is open in a simulation.
class opened_image {
 public:
  opened_image(io::sim::world& world, io::sim::disk& disk) : world_(world), disk_(disk) {}
  ~opened_image() {
    world_.drop_all();
    core_.reset();
    world_.drop_all();
  }

  violation open(const std::string& directory) {
    const storage::services outside{disk_, world_.make_actor(), world_.time(), world_.random(),
                                    sink_};
    const status made = [&]() -> status {  // as node/address.h does
      TRY(disk_.make_directories(directory + "/log"));
      TRY(disk_.sync_directory(directory));
      return disk_.sync_directory(io::parent_of(directory));
    }();
    if (!made.ok()) return made.failure().message;
    auto opened = node::core::open(outside, options_of(directory));
    if (!opened.ok()) return "open: " + opened.failure().message;
    core_ = std::move(*opened);
    const auto started =
        ask_status(world_, disk_, [&](auto done) { core_->start(std::move(done)); });
    if (!started.ok()) return "start: " + started.failure().message;
    return std::nullopt;
  }

  violation check(const promises& promised) {
    broker::broker& served = core_->broker();
    if (!served.find_topic("orders")) {
      return promised.topic_is_there ? violation("the topic is not there") : std::nullopt;
    }
    for (std::int32_t p = 0; p < partitions; ++p) {
      const auto at = static_cast<std::size_t>(p);
      broker_port port(served, {"orders", partition_id_t(p)}, world_, disk_);
      violation found =
          check_partition(port, p, promised.acknowledged[at], promised.sent[at], world_.random());
      if (found) return found;
    }
    return std::nullopt;
  }

 private:
  io::sim::world& world_;
  io::sim::disk& disk_;
  null_log_sink sink_;
  std::unique_ptr<node::core> core_;
};

}  // namespace

std::unique_ptr<recorded_run> record_run(const std::string& directory, std::uint64_t seed) {
  auto run = std::make_unique<recorded_run>();
  run->directory = directory;
  io::posix_file_system real;
  const auto disk = make_recording_disk(real, run->recording);
  const status made = disk->make_directories(directory + "/log");
  CHECK(made.ok(), made.failure().message);
  CHECK(disk->sync_directory(directory).ok(), "cannot sync", directory);
  seeded_random random(seed);
  for (int number = 0; number < boots; ++number) {
    const bool is_closed = number == 1;
    const auto choice = is_closed ? io::engine_choice::epoll : io::engine_choice::automatic;
    recorded_boot boot(*run, *disk, choice);
    if (number == 0) boot.create_topic();
    boot.produce(random);
    if (is_closed) boot.close();
  }
  return run;
}

std::unique_ptr<recorded_run> without_syncs(const recorded_run& run) {
  auto lying = std::make_unique<recorded_run>();
  lying->directory = run.directory;
  for (recorded what : run.recording.operations()) {
    if (what.what == recorded::kind::sync) continue;
    what.is_durable = false;
    lying->recording.add(std::move(what));
  }
  return lying;
}

violation check_image(const recorded_run& run, std::uint64_t seed, io::sim::event_counts& events) {
  io::sim::world world(seed);
  io::sim::disk disk(world);
  const std::size_t count = world.random().below(run.recording.operations().size() + 1);
  const status parents = make_parents(disk, run.directory);
  CHECK(parents.ok(), parents.failure().message);
  {
    const replayed_recording replayed(run.recording, count, disk);
    disk.power_off();
  }
  disk.power_on();
  const promises promised = promises_at(run.recording, count);
  opened_image image(world, disk);
  violation found = image.open(run.directory);
  if (!found) found = image.check(promised);
  ++events["images"];
  for (const std::int64_t acknowledged : promised.acknowledged) {
    events["records promised"] += static_cast<std::uint64_t>(acknowledged);
  }
  add(events, disk.events());
  if (found) return fmt::format("after {} operations: {}", count, *found);
  return std::nullopt;
}

}  // namespace ringlog::sim
