#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "client/remote/cluster.h"
#include "client/remote/fetch_session.h"
#include "client/service.h"
#include "protocol/wire/log/fetch.h"

namespace ringlog::client::remote {

// Brings one consumer's records: one Fetch at a time to each broker that leads something of what is
// asked (Kafka: Fetcher). What comes from one broker while another is waited for, or after the wait
// was over, is kept for the next call that asks for the same offset; other partitions go on being
// fetched meanwhile. A second call while one waits answers the first with what is there. Failures
// that a look at the metadata mends are not_leader. The network's thread only.
class fetcher : public std::enable_shared_from_this<fetcher> {
 public:
  using token = service::fetch_token;

  explicit fetcher(std::shared_ptr<cluster> over) : over_(std::move(over)) {}

  void fetch(token id, broker::fetch_request request, reply<broker::fetch_answer> done);
  void cancel(token id);

 private:
  struct waiting_call {
    token id;
    broker::fetch_request request;
    reply<broker::fetch_answer> done;
    monotonic_time deadline;
    executor::timer_id timer = 0;
  };
  struct kept_partition {
    offset_t asked;
    broker::fetched_partition fetched;
  };
  struct watermarks {
    offset_t high_watermark{no_offset};
    offset_t last_stable_offset{no_offset};
    offset_t log_start_offset{no_offset};
  };
  struct node_state {
    explicit node_state(bool incremental) : session(incremental) {}
    fetch_session session;
    std::vector<broker::fetch_partition> asked;  // of the request under way
    bool is_under_way = false;
  };
  struct sent_fetch;

  void drop_unwanted();
  bool send_all();
  void send(node_id_t node, std::vector<broker::fetch_partition> wanted);
  void answered(node_id_t node, result<wire_answer> answer);
  void take(node_state& state, const protocol::fetch_response& response, const wire_answer& frame);
  void keep(const broker::fetch_partition& asked,
            const protocol::fetch_response::partition_data& from, const wire_answer& frame);
  void keep_failure(const broker::fetch_partition& asked, error failure);
  bool has_something() const;
  void answer();
  node_state& state_of(node_id_t node);

  const std::shared_ptr<cluster> over_;
  std::optional<waiting_call> call_;
  std::map<node_id_t, node_state> nodes_;
  std::map<topic_partition, kept_partition> kept_;
  std::map<topic_partition, watermarks> watermarks_;
};

}  // namespace ringlog::client::remote
