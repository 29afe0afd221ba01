#include "server/fetch_session_cache.h"

#include <functional>
#include <iterator>
#include <limits>
#include <string_view>

#include "base/check.h"
#include "model/types.h"

namespace ringlog::server {
namespace {

constexpr std::int32_t no_session = 0;
constexpr std::int32_t epoch_of_none = -1;
constexpr std::int32_t epoch_of_new = 0;
constexpr std::int16_t first_version_with_topic_ids = 13;

std::int32_t epoch_after(std::int32_t epoch) {
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

std::vector<fetch_source> sources_of(const protocol::fetch_request& request) {
  std::vector<fetch_source> sources;
  for (const auto& topic : request.topics) {
    for (const auto& one : topic.partitions) {
      sources.push_back({std::string(topic.topic), topic.topic_id, one.partition,
                         one.current_leader_epoch, one.fetch_offset, one.partition_max_bytes});
    }
  }
  return sources;
}

bool has_records(const fetch_session_cache::answered_partition& answer) {
  return answer.records && !answer.records->empty();
}

// Partitions of one topic stand together as far as they follow each other.
void send(const fetch_source& source, fetch_session_cache::answered_partition& answer,
          protocol::fetch_response& response) {
  auto& topics = response.responses;
  if (topics.empty() || topics.back().topic != source.topic ||
      topics.back().topic_id != source.topic_id) {
    auto& topic = topics.emplace_back();
    topic.topic = source.topic;
    topic.topic_id = source.topic_id;
  }
  topics.back().partitions.push_back(std::move(answer));
}

}  // namespace

// Of one client. The mutex guards what follows it; what stands before it is the cache's.
class fetch_session_cache::session {
 public:
  session(std::int32_t number, bool by_topic_id, monotonic_time now)
      : id(number), uses_topic_ids(by_topic_id), made(now) {}

  const std::int32_t id;
  const bool uses_topic_ids;
  const monotonic_time made;
  monotonic_time last_used;
  std::list<std::shared_ptr<session>>::iterator place;
  std::size_t size_counted = 0;
  std::int64_t bytes_counted = 0;

  std::mutex mutex;
  std::int32_t epoch = epoch_after(epoch_of_new);

  std::size_t size() const { return partitions_.size(); }
  std::int64_t bytes() const { return bytes_; }

  std::vector<fetch_source> sources() const {
    std::vector<fetch_source> all;
    all.reserve(partitions_.size());
    for (const known_partition& one : partitions_) all.push_back(one.source);
    return all;
  }

  void update(const protocol::fetch_request& request) {
    for (fetch_source& source : sources_of(request)) put(std::move(source));
    for (const auto& topic : request.forgotten_topics_data) {
      for (const std::int32_t one : topic.partitions) forget({topic.topic, topic.topic_id, one});
    }
  }

  void put(fetch_source source) {
    const auto found = by_name_.find(name_of(source));
    if (found != by_name_.end()) {
      fetch_source& known = found->second->source;
      known.leader_epoch = source.leader_epoch;
      known.fetch_offset = source.fetch_offset;
      known.bytes_max = source.bytes_max;
      return;
    }
    bytes_ += bytes_of(source);
    partitions_.emplace_back().source = std::move(source);
    by_name_.emplace(name_of(partitions_.back().source), std::prev(partitions_.end()));
  }

  // Whether the client is to hear of it. A partition with records goes behind the others.
  bool take_news(const fetch_source& source, const answered_partition& now) {
    const auto found = by_name_.find(name_of(source));
    if (found == by_name_.end()) return true;
    known_partition& known = *found->second;
    const bool failed = now.error_code != 0;
    const bool is_news = failed || has_records(now) || known.high_watermark != now.high_watermark ||
                         known.log_start_offset != now.log_start_offset;
    // After a failure anything is news.
    known.high_watermark = failed ? no_offset.value() : now.high_watermark;
    known.log_start_offset = now.log_start_offset;
    if (has_records(now)) partitions_.splice(partitions_.end(), partitions_, found->second);
    return is_news;
  }

  // With what stands around it in list and map.
  static std::int64_t bytes_of(const fetch_source& source) {
    constexpr std::size_t links = 4 * sizeof(void*);
    return static_cast<std::int64_t>(sizeof(known_partition) + sizeof(name) + links +
                                     source.topic.size());
  }

 private:
  struct known_partition {
    fetch_source source;
    std::int64_t high_watermark = no_offset.value();  // as last told
    std::int64_t log_start_offset = no_offset.value();
  };

  struct name {
    std::string_view topic;  // of the source in the list
    uuid topic_id;
    std::int32_t partition;

    bool operator==(const name&) const = default;
    friend std::size_t hash_value(const name& one) {
      return (std::hash<std::string_view>()(one.topic) ^ hash_value(one.topic_id)) * 31 +
             static_cast<std::size_t>(one.partition);
    }
  };

  static name name_of(const fetch_source& source) {
    return {source.topic, source.topic_id, source.partition};
  }

  void forget(const name& gone) {
    const auto found = by_name_.find(gone);
    if (found == by_name_.end()) return;
    const auto place_of_it = found->second;
    bytes_ -= bytes_of(place_of_it->source);
    by_name_.erase(found);
    partitions_.erase(place_of_it);
  }

  std::list<known_partition> partitions_;  // in the order of their turn
  hash_map<name, std::list<known_partition>::iterator> by_name_;
  std::int64_t bytes_ = 0;
};

fetch_session_cache::fetch_session_cache(const clock& time, random_source& random,
                                         const bounds& given)
    : time_(time), random_(random), bounds_(given) {}

fetch_session_cache::~fetch_session_cache() = default;

fetch_session_cache::plan fetch_session_cache::begin(const protocol::fetch_request& request,
                                                     std::int16_t version) {
  const bool wants_none = request.session_epoch == epoch_of_none;
  const bool wants_new = request.session_epoch == epoch_of_new;
  if (!wants_none && !wants_new) return begin_incremental(request, version);
  if (request.session_id != no_session) {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(request.session_id);
    if (found != by_id_.end()) drop(*found->second);
  }
  plan made;
  made.partitions = sources_of(request);
  made.opens_session = wants_new;
  made.uses_topic_ids = version >= first_version_with_topic_ids;
  return made;
}

fetch_session_cache::plan fetch_session_cache::begin_incremental(
    const protocol::fetch_request& request, std::int16_t version) {
  const auto refused = [](model::kafka_error why) {
    plan made;
    made.failure = why;
    return made;
  };
  std::unique_lock cache_lock(mutex_);
  const auto found = by_id_.find(request.session_id);
  if (found == by_id_.end()) return refused(model::kafka_error::fetch_session_id_not_found);
  const std::shared_ptr<session> used = *found->second->place;
  const std::lock_guard lock(used->mutex);
  if (used->epoch != request.session_epoch) {
    return refused(model::kafka_error::invalid_fetch_session_epoch);
  }
  if (used->uses_topic_ids != (version >= first_version_with_topic_ids)) {
    return refused(model::kafka_error::fetch_session_topic_id_error);
  }
  used->update(request);
  plan made;
  if (used->size() == 0) {
    drop(*used);
    made.partitions = sources_of(request);  // what it forgets in the same breath
    return made;
  }
  touch(*used);
  if (bytes_ > bounds_.bytes_max) {
    drop(*used);
    return refused(model::kafka_error::fetch_session_id_not_found);
  }
  cache_lock.unlock();
  used->epoch = epoch_after(used->epoch);
  made.partitions = used->sources();
  made.used = used;
  made.epoch = used->epoch;
  return made;
}

void fetch_session_cache::finish(const plan& done, std::vector<answered_partition>& answers,
                                 protocol::fetch_response& response) {
  CHECK(answers.size() == done.partitions.size(), "answers that do not fit the request",
        answers.size(), done.partitions.size());
  response.error_code = 0;
  if (done.used != nullptr) return finish_incremental(done, answers, response);
  if (done.opens_session) {
    const std::lock_guard lock(mutex_);
    response.session_id = open(done, answers);
  }
  for (std::size_t i = 0; i < answers.size(); ++i) send(done.partitions[i], answers[i], response);
}

void fetch_session_cache::finish_without_answers(const plan& done,
                                                 protocol::fetch_response& response) {
  std::vector<answered_partition> none;
  response.error_code = 0;
  if (done.used == nullptr) return;
  plan nothing = done;
  nothing.partitions.clear();
  finish_incremental(nothing, none, response);
}

void fetch_session_cache::finish_incremental(const plan& done,
                                             std::vector<answered_partition>& answers,
                                             protocol::fetch_response& response) {
  session& used = *done.used;
  const std::lock_guard lock(used.mutex);
  response.session_id = used.id;
  if (used.epoch != done.epoch) {
    response.error_code =
        static_cast<std::int16_t>(model::kafka_error::invalid_fetch_session_epoch);
    return;
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (used.take_news(done.partitions[i], answers[i])) {
      send(done.partitions[i], answers[i], response);
    }
  }
}

std::int32_t fetch_session_cache::open(const plan& done,
                                       const std::vector<answered_partition>& answers) {
  std::int64_t bytes = 0;
  for (const fetch_source& source : done.partitions) bytes += session::bytes_of(source);
  if (!make_room(done.partitions.size(), bytes)) return no_session;
  std::int32_t id = no_session;
  do {
    id = 1 + static_cast<std::int32_t>(random_.below(std::numeric_limits<std::int32_t>::max()));
  } while (by_id_.contains(id));
  const auto made = std::make_shared<session>(id, done.uses_topic_ids, time_.now());
  for (const fetch_source& source : done.partitions) made->put(source);
  for (std::size_t i = 0; i < answers.size(); ++i) made->take_news(done.partitions[i], answers[i]);
  made->place = by_use_.insert(by_use_.end(), made);
  by_id_.emplace(id, made.get());
  touch(*made);
  return id;
}

bool fetch_session_cache::make_room(std::size_t size, std::int64_t bytes) {
  if (bytes > bounds_.bytes_max) return false;
  while (static_cast<std::int64_t>(by_use_.size()) >= bounds_.sessions_max ||
         bytes_ + bytes > bounds_.bytes_max) {
    if (!evict_for(size)) return false;
  }
  return true;
}

bool fetch_session_cache::evict_for(std::size_t size) {
  if (by_use_.empty()) return false;
  session& unused = *by_use_.front();
  if (time_.now() - unused.last_used > bounds_.eviction_min) {
    drop(unused);
    return true;
  }
  if (by_size_.empty() || by_size_.begin()->first >= size) return false;
  drop(*by_id_.at(by_size_.begin()->second));
  return true;
}

// The caller holds the session's mutex, too, or is the only one that knows it.
void fetch_session_cache::touch(session& used) {
  used.last_used = time_.now();
  by_use_.splice(by_use_.end(), by_use_, used.place);
  by_size_.erase({used.size_counted, used.id});
  bytes_ += used.bytes() - used.bytes_counted;
  used.size_counted = used.size();
  used.bytes_counted = used.bytes();
  if (used.last_used - used.made > bounds_.eviction_min) {
    by_size_.emplace(used.size_counted, used.id);
  }
}

void fetch_session_cache::drop(session& gone) {
  by_size_.erase({gone.size_counted, gone.id});
  bytes_ -= gone.bytes_counted;
  by_id_.erase(gone.id);
  by_use_.erase(gone.place);  // `gone` may end here
}

std::size_t fetch_session_cache::count() const {
  const std::lock_guard lock(mutex_);
  return by_use_.size();
}

std::int64_t fetch_session_cache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace ringlog::server
