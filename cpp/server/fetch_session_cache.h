#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hash_map.h"
#include "base/random.h"
#include "base/uuid.h"
#include "model/kafka_error.h"
#include "protocol/wire/log/fetch.h"

namespace ringlog::server {

// A partition as a client wants it fetched.
struct fetch_source {
  std::string topic;  // empty where the client names topics by their ids
  uuid topic_id;
  std::int32_t partition = 0;
  std::int32_t leader_epoch = -1;
  std::int64_t fetch_offset = 0;
  std::int32_t bytes_max = 0;
};

// Incremental fetch sessions (KIP-227; Kafka: FetchManager, FetchSessionCache). The partitions that
// a client fetches again and again are remembered, so that its requests name only what changes and
// its answers leave out the partitions without news: records, another high watermark or log start,
// a failure or its end. A partition that had records goes behind the others, so that a small
// max_bytes starves none.
//
// A session is opened by the answer to a full request (epoch 0) while there is room, and replaced
// or closed by the next full one; each request in between carries the epoch that follows. It
// belongs to no connection. When there is no room, a session goes that nobody used for
// `eviction_min`, or else the smallest that was made longer ago, if it has fewer partitions than
// the new one; if there is none, the client gets no session and goes on with full requests. All
// sessions together stay within `bytes_max`; Kafka bounds only their number, by shards. It also
// prefers sessions of followers, which are none here.
//
// Any thread; each session has a mutex of its own, taken after that of the cache.
class fetch_session_cache {
 public:
  struct bounds {
    std::int64_t sessions_max;
    std::int64_t bytes_max;
    milliseconds eviction_min;
  };

  fetch_session_cache(const clock& time, random_source& random, const bounds& given);
  ~fetch_session_cache();

  class session;

  // What a request is about: to be fetched, in this order, and handed to finish() with the answers.
  struct plan {
    model::kafka_error failure = model::kafka_error::none;  // the whole answer, if not none
    std::vector<fetch_source> partitions;
    bool opens_session = false;
    bool uses_topic_ids = false;
    std::shared_ptr<session> used;  // of an incremental request
    std::int32_t epoch = 0;         // of `used`, unless another request came in between
  };

  plan begin(const protocol::fetch_request& request, std::int16_t version);

  // Moves the answers, which stand beside the plan's partitions, into the response as far as they
  // are to be sent, and sets its session and error.
  using answered_partition = protocol::fetch_response::partition_data;
  void finish(const plan& done, std::vector<answered_partition>& answers,
              protocol::fetch_response& response);

  // Nothing is sent this time, so the session learns nothing: for a client that has to pause.
  static void finish_without_answers(const plan& done, protocol::fetch_response& response);

  std::size_t count() const;
  std::int64_t bytes() const;

 private:
  plan begin_incremental(const protocol::fetch_request& request, std::int16_t version);
  static void finish_incremental(const plan& done, std::vector<answered_partition>& answers,
                                 protocol::fetch_response& response);

  // With the mutex held.
  std::int32_t open(const plan& done, const std::vector<answered_partition>& answers);
  bool make_room(std::size_t size, std::int64_t bytes);
  bool evict_for(std::size_t size);
  void touch(session& used);
  void drop(session& gone);

  const clock& time_;
  random_source& random_;
  const bounds bounds_;
  mutable std::mutex mutex_;                    // guards what follows
  std::list<std::shared_ptr<session>> by_use_;  // the longest unused first
  hash_map<std::int32_t, session*> by_id_;
  std::set<std::pair<std::size_t, std::int32_t>> by_size_;  // those that a larger one may evict
  std::int64_t bytes_ = 0;
};

}  // namespace ringlog::server
