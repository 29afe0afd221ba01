#include "log.h"

#include <algorithm>

#include "client/embedded_transport.h"
#include "model/batch_builder.h"
#include "node/node.h"
#include "turn.h"

namespace ringlog::bench {
namespace {

constexpr std::size_t distinct_values = 1'000;
constexpr std::int32_t partitions_at_once = 5'000;

}  // namespace

client::wait_limit patience() { return client::wait_limit::after(patience_max); }

log::log(const std::string& folder)
    : address_("file:" + folder + "/data"),
      over_(client::make_embedded_transport(need(node::open(address_)))) {}

log::~log() { close(); }

// One request makes at most limits::new_topic_records_max records, the topic's own among them.
void log::create_topic(std::int32_t partitions) {
  broker::new_topic topic;
  topic.name = topic_name;
  topic.partitions = std::min(partitions, partitions_at_once);
  need(client::await<broker::created_topic>(patience(), "creating the topic", [&](auto reply) {
    broker().create_topic(topic, false, std::move(reply));
  }));
  if (topic.partitions == partitions) return;
  need(client::await<std::int32_t>(patience(), "adding partitions", [&](auto reply) {
    broker().create_partitions(topic.name, partitions, false, std::move(reply));
  }));
}

void log::close() {
  over_.reset();
  need(node::close(address_, patience_max));
}

values::values(std::int64_t size) {
  seeded_random random(1);
  values_.resize(distinct_values, byte_buffer(static_cast<std::size_t>(size)));
  for (byte_buffer& value : values_) {
    std::generate(value.begin(), value.end(),
                  [&] { return static_cast<std::byte>(random.next()); });
  }
}

bytes_view values::next() {
  if (next_ == values_.size()) next_ = 0;
  return values_[next_++];
}

std::vector<bytes_view> values::next(std::size_t count) {
  std::vector<bytes_view> taken(count);
  std::generate(taken.begin(), taken.end(), [this] { return next(); });
  return taken;
}

namespace {

std::int64_t timestamp_now() {
  using std::chrono::system_clock;
  const auto since = system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(since).count();
}

}  // namespace

byte_buffer make_batch(values& from, std::int64_t count) {
  const bytes_view first = from.next();
  const auto record = model::batch_builder::record_bytes_max(std::nullopt, first);
  model::batch_builder builder(model::batch_header_bytes +
                               record * static_cast<std::size_t>(count));
  const std::int64_t timestamp = timestamp_now();
  builder.append(timestamp, std::nullopt, first);
  while (builder.count() < count) builder.append(timestamp, std::nullopt, from.next());
  return std::move(builder).finish({});
}

byte_buffer make_batch_of_bytes(values& from, std::int64_t bytes, std::int64_t& count) {
  const auto record = model::batch_builder::record_bytes_max(std::nullopt, from.next());
  const auto room = static_cast<std::size_t>(bytes) - model::batch_header_bytes;
  count = static_cast<std::int64_t>(room / record);
  if (count == 0) fail("not one record fits into the batch");
  return make_batch(from, count);
}

void produce_window::produce(std::int32_t partition, byte_buffer batch) {
  wait_until(batches_max_ - 1);
  broker::produce_request request;
  request.target = {topic_name, partition_id_t(partition)};
  request.batches = std::move(batch);
  request.trusted = true;
  request.timeout_ms = patience_max.count();
  {
    const std::lock_guard guard(mutex_);
    ++in_flight_;
  }
  to_.produce(std::move(request), [this](result<broker::produce_answer> answer) {
    answered(answer.ok() ? std::nullopt : std::optional(answer.failure()));
  });
}

void produce_window::drain() { wait_until(0); }

void produce_window::wait_until(std::int64_t in_flight) {
  std::unique_lock guard(mutex_);
  if (in_flight_ > in_flight) {
    // A wide window is waited for in larger steps: not one wake-up for every answer.
    wanted_ = in_flight - in_flight / 16;
    const auto enough = [&] { return in_flight_ <= wanted_; };
    if (!changed_.wait_for(guard, patience_max, enough)) fail("produce got no answer");
    wanted_ = -1;
  }
  if (failure_) fail(failure_->message);
}

void produce_window::answered(std::optional<error> failure) {
  const std::lock_guard guard(mutex_);
  --in_flight_;
  if (failure) failure_ = std::move(failure);
  if (in_flight_ <= wanted_) changed_.notify_one();
}

}  // namespace ringlog::bench
