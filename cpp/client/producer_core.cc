#include "client/producer_core.h"

#include <algorithm>

#include "model/config_def.h"

namespace ringlog::client {
namespace {

// How often the age of unfinished batches is looked at.
constexpr milliseconds age_interval_max{1000};
constexpr std::int64_t age_looks_per_timeout = 8;

std::uint64_t mix(std::uint64_t value) {  // splitmix64's finisher
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

// ---- topics

producer_topic::producer_topic(producer_core& core, std::string name)
    : core_(core),
      name_(std::move(name)),
      batch_bytes_max_(static_cast<std::size_t>(core.options().max_request_size)) {
  lists_.push_back(std::make_unique<const partition_list>());
  current_ = lists_.back().get();
}

bool producer_topic::refresh() {
  const std::uint64_t version = core_.over().broker().metadata_version();
  if (version != seen_version_.load(std::memory_order_acquire)) look();
  return exists_.load(std::memory_order_acquire);
}

void producer_topic::look() {
  service& broker = core_.over().broker();
  const std::lock_guard guard(mutex_);
  const std::uint64_t version = broker.metadata_version();  // a later change is looked at again
  const auto description = broker.find_topic(name_);
  const std::size_t count = description ? description->partitions.size() : 0;
  if (count > 0) take_partitions(count);
  // Last, for threads that find nothing to look at: they go on with the list.
  exists_.store(count > 0, std::memory_order_release);
  seen_version_.store(version, std::memory_order_release);
  if (count == 0) return;
  broker.look_up_configs(
      {broker::resource_type::topic, name_},
      [this, core = core_.shared_from_this()](const auto& configs) { take_configs(configs); });
}

void producer_topic::take_partitions(std::size_t count) {
  while (queues_.size() < count) {
    const auto number = static_cast<std::int32_t>(queues_.size());
    queues_.push_back(
        std::make_unique<partition_queue>(core_, topic_partition{name_, partition_id_t(number)}));
  }
  if (partitions().size() == count) return;
  auto list = std::make_unique<partition_list>();
  for (std::size_t i = 0; i < count; ++i) list->push_back(queues_[i].get());
  current_.store(list.get(), std::memory_order_release);
  lists_.push_back(std::move(list));
}

// Maybe later than look(). Without them the request's size is the limit.
void producer_topic::take_configs(const result<std::vector<broker::config_entry>>& configs) {
  if (!configs.ok()) return;
  for (const broker::config_entry& entry : *configs) {
    if (entry.name != "max.message.bytes" || !entry.value) continue;
    const std::int64_t limit = std::strtoll(entry.value->c_str(), nullptr, 10);
    batch_bytes_max_ = static_cast<std::size_t>(std::min(limit, core_.options().max_request_size));
  }
}

partition_queue* producer_topic::sticky(std::uint64_t random) {
  partition_queue* kept = sticky_.load(std::memory_order_relaxed);
  const partition_list& list = partitions();
  if (kept != nullptr && static_cast<std::size_t>(kept->target().partition.value()) < list.size()) {
    return kept;
  }
  kept = list[random % list.size()];
  sticky_.store(kept, std::memory_order_relaxed);
  return kept;
}

void producer_topic::leave_sticky(const partition_queue* left) {
  if (sticky_.load(std::memory_order_relaxed) == left) sticky_.store(nullptr);
}

void producer_topic::for_each_queue(const std::function<void(partition_queue&)>& visit) {
  std::vector<partition_queue*> queues;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& queue : queues_) queues.push_back(queue.get());
  }
  for (partition_queue* queue : queues) visit(*queue);
}

// ---- core

producer_core::producer_core(std::shared_ptr<transport> over, producer_options options)
    : over_(std::move(over)),
      options_(std::move(options)),
      memory_(options_.buffer_memory),
      random_(over_->random().next()) {}

producer_topic* producer_core::find_topic(std::string_view name) {
  const std::lock_guard guard(mutex_);
  const auto found = topics_.find(name);
  return found != topics_.end() ? found->second.get() : nullptr;
}

producer_topic* producer_core::add_topic(std::string_view name) {
  auto made = std::make_unique<producer_topic>(*this, std::string(name));
  const std::lock_guard guard(mutex_);
  return topics_.try_emplace(std::string(name), std::move(made)).first->second.get();
}

void producer_core::for_each_queue(const std::function<void(partition_queue&)>& visit) {
  std::vector<producer_topic*> topics;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [name, topic] : topics_) topics.push_back(topic.get());
  }
  for (producer_topic* topic : topics) topic->for_each_queue(visit);
}

std::uint64_t producer_core::random() {
  return mix(random_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed));
}

// ---- producer ids

void producer_core::ask_identity(partition_queue& queue, bool fresh) {
  if (fresh) {
    request_identity([&queue](const result<broker::producer_identity>& answer) {
      answer.ok() ? queue.set_identity(*answer) : queue.refuse_identity(answer.failure());
    });
    return;
  }
  std::optional<broker::producer_identity> known;
  {
    const std::lock_guard guard(mutex_);
    known = identity_;
    if (!known) {
      waiting_for_identity_.push_back(&queue);
      if (waiting_for_identity_.size() > 1) return;  // asked for already
    }
  }
  if (known) {
    queue.set_identity(*known);
    return;
  }
  request_identity([this](const result<broker::producer_identity>& answer) {
    std::vector<partition_queue*> waiting;
    {
      const std::lock_guard guard(mutex_);
      if (answer.ok()) identity_ = *answer;
      waiting.swap(waiting_for_identity_);
    }
    for (partition_queue* each : waiting) {
      answer.ok() ? each->set_identity(*answer) : each->refuse_identity(answer.failure());
    }
  });
}

void producer_core::request_identity(
    std::function<void(const result<broker::producer_identity>&)> take) {
  over_->broker().init_producer_id(
      std::nullopt, std::nullopt,
      [self = shared_from_this(),
       take = std::move(take)](const result<broker::producer_identity>& answer) { take(answer); });
}

// ---- delivery time-out

void producer_core::batch_opened() {
  unfinished_.fetch_add(1);
  if (!watching_.exchange(true)) watch_age();
}

void producer_core::watch_age() {
  const milliseconds timeout(options_.delivery_timeout_ms);
  const milliseconds interval =
      std::clamp(timeout / age_looks_per_timeout, milliseconds{1}, age_interval_max);
  over_->engine().schedule_at(over_->time().now() + interval, [self = shared_from_this()] {
    const auto now = self->over_->time().now();
    const milliseconds limit(self->options_.delivery_timeout_ms);
    const error failure =
        make_error(error_code::timed_out, "not delivered within delivery_timeout_ms ({})",
                   self->options_.delivery_timeout_ms);
    if (now.since_start > limit) {
      self->for_each_queue([&](partition_queue& queue) {
        queue.expire(monotonic_time{now.since_start - limit}, failure);
      });
    }
    self->watching_ = false;
    if (self->unfinished_.load() > 0 && !self->watching_.exchange(true)) self->watch_age();
  });
}

}  // namespace ringlog::client
