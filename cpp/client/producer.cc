#include "client/producer.h"

#include "client/producer_core.h"
#include "model/batch_builder.h"
#include "model/partitioner.h"
#include "model/topic_name.h"

namespace ringlog::client {
namespace {

error closed_error() { return error{error_code::closed, "the producer is closed"}; }

error unknown_topic(std::string_view name) {
  return make_error(error_code::unknown_topic_or_partition, "there is no topic {}", name);
}

result<partition_queue*> choose_partition(producer_core& core, producer_topic& topic,
                                          const outgoing_record& record) {
  const auto& partitions = topic.partitions();
  const auto count = static_cast<std::int32_t>(partitions.size());
  if (record.partition) {
    const std::int32_t asked = record.partition->value();
    if (asked >= 0 && asked < count) return partitions[static_cast<std::size_t>(asked)];
    return make_error(error_code::invalid_argument,
                      "topic {} has no partition {}: its partitions are 0 to {}", topic.name(),
                      asked, count - 1);
  }
  if (count == 1) return partitions.front();
  if (record.key) {
    const partition_id_t chosen = model::partition_for_key(*record.key, count);
    return partitions[static_cast<std::size_t>(chosen.value())];
  }
  const std::uint64_t random = core.random();
  if (core.options().null_keys == null_key_partitioning::sticky) return topic.sticky(random);
  return partitions[random % partitions.size()];
}

status check_size(const producer_core& core, std::size_t record_bytes_max) {
  const auto size = static_cast<std::int64_t>(record_bytes_max + model::batch_header_bytes);
  const producer_options& options = core.options();
  if (size > options.max_request_size) {
    return make_error(
        error_code::message_too_large,
        "the record has {} bytes when serialized, which is more than max_request_size "
        "({})",
        size, options.max_request_size);
  }
  if (size > options.buffer_memory) {
    return make_error(error_code::message_too_large,
                      "the record has {} bytes when serialized, which is more than buffer_memory "
                      "({})",
                      size, options.buffer_memory);
  }
  return {};
}

}  // namespace

std::shared_ptr<producer> producer::make(std::shared_ptr<transport> over,
                                         producer_options options) {
  return std::shared_ptr<producer>(
      new producer(std::make_shared<producer_core>(std::move(over), std::move(options))));
}

producer::producer(std::shared_ptr<producer_core> core) : core_(std::move(core)) {}

producer::~producer() { abandon(); }

result<producer_topic*> producer::topic(std::string_view name, const wait_limit& limit) {
  if (core_->closed()) return closed_error();
  producer_topic* known = core_->find_topic(name);
  if (known != nullptr && known->refresh()) return known;
  TRY(core_->over().check_usable());
  TRY(model::validate_topic_name(name));
  TRY(learn_of(name, limit));
  if (known == nullptr) known = core_->add_topic(name);
  if (!known->refresh()) return unknown_topic(name);  // deleted in between
  return known;
}

// Finds the topic where the broker is, and makes it if that is allowed.
status producer::learn_of(std::string_view name, const wait_limit& limit) {
  service& broker = core_->over().broker();
  if (broker.find_topic(name)) return {};
  if (core_->options().allow_auto_create_topics) {
    TRY(ask<broker::topic_description>(
        core_->over(), limit, fmt::format("making topic {}", name),
        [&](auto reply) { broker.ensure_topic(std::string(name), std::move(reply)); }));
    return {};
  }
  TRY_ASSIGN(const auto found,
             ask<std::vector<broker::topic_description>>(
                 core_->over(), limit, fmt::format("looking topic {} up", name), [&](auto reply) {
                   broker.look_up_topics(std::vector{std::string(name)}, std::move(reply));
                 }));
  return found.empty() ? status(unknown_topic(name)) : status();
}

result<sent_record> producer::try_send(producer_topic& to, const outgoing_record& record) {
  TRY(core_->over().check_usable());
  if (record.timestamp < no_timestamp) {
    return make_error(error_code::invalid_argument, "timestamp {} is negative", record.timestamp);
  }
  TRY(core_->over().check_usable());
  if (!to.refresh()) {
    if (!core_->options().allow_auto_create_topics) return unknown_topic(to.name());
    return make_error(error_code::no_memory, "topic {} has to be made again", to.name());
  }
  TRY_ASSIGN(partition_queue * queue, choose_partition(*core_, to, record));
  const std::size_t bytes_max =
      model::batch_builder::record_bytes_max(record.key, record.value, record.headers);
  TRY(check_size(*core_, bytes_max));

  const std::int64_t timestamp =
      record.timestamp == no_timestamp ? core_->over().time().wall_ms() : record.timestamp;
  sent_record sent;
  switch (queue->append(record, timestamp, bytes_max, to.batch_bytes_max(), sent)) {
    case partition_queue::append_outcome::closed:
      return closed_error();
    case partition_queue::append_outcome::no_room:
      return make_error(error_code::no_memory, "no room for {} bytes more in buffer_memory ({})",
                        bytes_max, core_->options().buffer_memory);
    case partition_queue::append_outcome::appended_and_closed:
      to.leave_sticky(queue);
      break;
    case partition_queue::append_outcome::appended:
      break;
  }
  return sent;
}

result<sent_record> producer::send(producer_topic& to, const outgoing_record& record,
                                   const wait_limit& limit) {
  for (;;) {
    if (!to.refresh()) TRY(topic(to.name(), limit));
    auto sent = try_send(to, record);
    if (sent.ok() || sent.code() != error_code::no_memory) return sent;
    core_->for_each_queue([](partition_queue& queue) { queue.send_now(); });
    std::optional<result<sent_record>> after_all;
    const status waited = core_->memory().wait(limit, [&] {
      after_all = try_send(to, record);
      return after_all->ok() || after_all->code() != error_code::no_memory;
    });
    if (after_all->ok() || after_all->code() != error_code::no_memory) {
      return std::move(*after_all);
    }
    if (waited.ok()) continue;
    if (waited.code() != error_code::timed_out) return waited.failure();
    return make_error(error_code::timed_out, "{}: unsent records did not leave in time",
                      after_all->failure().message);
  }
}

std::int32_t producer::partition_count(const producer_topic& of) const {
  return static_cast<std::int32_t>(of.partitions().size());
}

status producer::flush(const wait_limit& limit) {
  std::vector<std::shared_ptr<batch_completion>> last;
  core_->for_each_queue([&](partition_queue& queue) {
    queue.send_now();
    if (auto completion = queue.last_unfinished()) last.push_back(std::move(completion));
  });
  for (const auto& completion : last) TRY(completion->wait(limit));
  return {};
}

status producer::close(const wait_limit& limit) {
  core_->set_closed();
  status flushed = flush(limit);
  if (flushed.ok()) return {};
  const error failure{error_code::timed_out, "the producer was closed before it was delivered"};
  const monotonic_time later = core_->over().time().now() + nanoseconds(1);
  core_->for_each_queue([&](partition_queue& queue) { queue.expire(later, failure); });
  return flushed;
}

void producer::abandon() {
  core_->set_closed();
  core_->for_each_queue([](partition_queue& queue) { queue.send_now(); });
}

const producer_options& producer::options() const { return core_->options(); }

transport& producer::over() { return core_->over(); }

}  // namespace ringlog::client
