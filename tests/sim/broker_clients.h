#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "broker/broker.h"
#include "log_port.h"
#include "run.h"

namespace ringlog::sim {

// Starts an asynchronous call and lets the simulation run until it is answered or the machine is
// off (then error_code::io_error).
template <typename T, typename Start>
result<T> ask(io::sim::world& world, const io::sim::disk& drive, Start start) {
  auto answer = std::make_shared<std::optional<result<T>>>();
  start(broker::reply<T>([answer](result<T> given) { answer->emplace(std::move(given)); }));
  world.run_until([&] { return answer->has_value() || drive.is_off(); });
  if (answer->has_value()) return std::move(**answer);
  if (drive.is_off()) return make_error(error_code::io_error, "the simulated machine is off");
  return make_error(error_code::timed_out, "a call of the broker was not answered in an hour");
}

// The same of a call that answers a status.
template <typename Start>
status ask_status(io::sim::world& world, const io::sim::disk& drive, Start start) {
  const auto answered = ask<std::monostate>(world, drive, [&](auto done) {
    start(callback<void(status)>([done = std::move(done)](status outcome) mutable {
      if (!outcome.ok()) return done(std::move(outcome.failure()));
      done(std::monostate());
    }));
  });
  return answered.ok() ? status() : status(answered.failure());
}

// A partition through the broker's facade.
class broker_port final : public log_port {
 public:
  broker_port(broker::broker& served, topic_partition name, io::sim::world& world,
              const io::sim::disk& drive)
      : broker_(served), name_(std::move(name)), world_(world), disk_(drive) {}

  void append(byte_buffer batch, callback<void(result<appended>)> done) override;
  void delete_records(std::int64_t before, callback<void(result<std::int64_t>)> done) override;
  void truncate_to(std::int64_t end, callback<void(status)> done) override;
  result<bounds> ask_bounds() override;
  result<std::int64_t> ask_high_watermark() override;
  result<std::vector<shared_bytes>> read(std::int64_t from, std::int64_t bytes_max) override;

 private:
  result<std::int64_t> list_offset(std::int64_t timestamp);

  broker::broker& broker_;
  topic_partition name_;
  io::sim::world& world_;
  const io::sim::disk& disk_;
};

// Administers topics and commits offsets, and remembers what answers promised. What was sent
// without an answer may or may not be found. One thread; lives over crashes.
class admin_client {
 public:
  explicit admin_client(random_source& random) : random_(random) {}

  // After a boot: is everything there that was promised?
  violation check(broker::broker& served, io::sim::world& world, const io::sim::disk& drive);

  void create_or_delete_a_topic(broker::broker& served);
  void append_to_a_topic(broker::broker& served);
  void commit_an_offset(broker::broker& served);
  void alter_a_config(broker::broker& served);
  void allocate_a_producer_id(broker::broker& served);

  // From now until check() a failed answer breaks no promise: the disk fails.
  void excuse_failures() { excused_ = true; }

  const violation& broken_by_answers() const { return violation_; }

  std::uint64_t operations() const { return operations_; }
  std::uint64_t answers() const { return answers_; }
  std::uint64_t topics_made_again() const { return topics_made_again_; }

 private:
  enum class presence { absent, present, unknown };
  // A topic under one name, deleted and made again now and then; each life has records of its own.
  struct topic {
    presence is = presence::absent;
    int life = 0;
    std::vector<std::string> values;  // sent in this life, by offset
    std::size_t answered = 0;         // so many of them must be there
  };
  struct promise {
    std::int64_t answered = -1;
    std::int64_t asked = -1;
  };

  violation check_topics(broker::broker& served, io::sim::world& world, const io::sim::disk& drive);
  violation check_records(const std::string& name, topic& of, broker_port& port);
  void fail(std::string what);
  violation check_offsets(broker::broker& served, io::sim::world& world,
                          const io::sim::disk& drive);
  violation check_config(broker::broker& served);
  static violation check_promise(std::string_view what, std::int64_t found, promise& given);

  random_source& random_;
  std::map<std::string, topic> topics_;
  std::map<std::int32_t, promise> offsets_;  // by partition of "orders"
  promise config_;
  std::set<std::int64_t> producer_ids_;
  std::uint64_t operations_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t topics_made_again_ = 0;
  bool excused_ = false;
  violation violation_;
};

}  // namespace ringlog::sim
