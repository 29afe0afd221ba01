#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/remote/broker_connection.h"
#include "client/service.h"
#include "protocol/wire/cluster/metadata.h"
#include "protocol/wire/group/find_coordinator.h"

namespace ringlog::client::remote {

// Where a request goes, and on which of the connections to that broker: one that is parked there
// (a fetch, a join) must not hold up what is asked meanwhile, because a broker answers the requests
// of a connection one after another.
struct route {
  enum class kind : std::uint8_t { any, controller, node, leader, coordinator };
  enum class lane : std::uint8_t { control, records, join };

  kind to = kind::any;
  lane over = lane::control;
  node_id_t node{-1};           // of kind::node
  topic_partition partition{};  // of kind::leader
  std::string group{};          // of kind::coordinator

  static route any() { return {}; }
  static route controller() { return {.to = kind::controller}; }
  static route to_node(node_id_t id) { return {.to = kind::node, .node = id}; }
  static route to_leader(topic_partition of) {
    return {.to = kind::leader, .partition = std::move(of)};
  }
  static route to_coordinator(std::string of, lane over = lane::control) {
    return {.to = kind::coordinator, .over = over, .group = std::move(of)};
  }
};

// What one client knows of a cluster, and its connections to it (Kafka: Metadata, NetworkClient,
// AbstractCoordinator's look-up). The bootstrap servers are asked first, then the brokers that they
// told of, and the bootstrap servers again when none of those answers (KIP-899). Topics that were
// asked for are read again every metadata_max_age_ms, and when an answer says that what is known is
// out of date.
//
// find_topic(), metadata_version(), trouble() may be called from any thread, the rest on the
// network's.
class cluster : public std::enable_shared_from_this<cluster> {
 public:
  cluster(std::shared_ptr<network_thread> thread, remote_options options);

  network_thread& thread() { return *thread_; }
  const remote_options& options() const { return *options_; }

  // ---- what is known

  std::optional<broker::topic_description> find_topic(std::string_view name) const;
  std::optional<std::string> topic_name(const uuid& id) const;
  std::uint64_t metadata_version() const { return version_.load(std::memory_order_acquire); }
  // Why nothing is answered now: the last failure to connect since the last metadata.
  std::string trouble() const;

  std::optional<node_id_t> leader_of(const topic_partition& partition) const;
  // As far as it is known; no_leader_epoch else.
  leader_epoch_t leader_epoch_of(const topic_partition& partition) const;
  described_cluster describe() const;
  std::vector<node_id_t> nodes() const;

  // ---- asking

  // Sends it where the route leads; what has to be learned for that is asked for first.
  void ask(const route& by, wire_call call);

  // Takes what a failed answer says about what is known here.
  void note_failure(const route& by, error_code code);

  // Answered when the cluster has answered for the first time, however long that takes.
  void when_known(reply<std::monostate> done);

  // Topics are kept up to date from here on; one that is not known yet is read soon.
  void want_topic(const std::string& name);
  // As of now; those that are missing are looked for from time to time.
  void keep_watching(const std::vector<std::string>& names);
  void watch_all_topics() { wants_all_ = true; }

  // Reads the metadata again soon; at most every retry_backoff_ms.
  void refresh_soon();

  // Of an answer to a Metadata request for these names (none: all).
  void take_metadata(const protocol::metadata_response& answer,
                     const std::optional<std::vector<std::string>>& asked);

  // The connection to a broker that is known; null when there is none of that id.
  std::shared_ptr<broker_connection> connection_to(node_id_t node, route::lane over);

  // The latest metadata says that there is no such topic.
  bool is_missing(const std::string& topic) const;

  // The failure of what was asked of a partition whose leader is not known here.
  error why_no_leader(const topic_partition& partition);

  // No more requests; those under way get some time, then every connection is closed.
  void close();

 private:
  struct image {
    std::map<std::string, broker::topic_description, std::less<>> topics;
    std::map<uuid, std::string> names;
    std::map<node_id_t, cluster_node> nodes;
    std::string cluster_id;
    node_id_t controller{-1};
  };
  struct looked_up_coordinator {
    node_id_t node{-1};
    bool is_asked_for = false;
    std::vector<callback<void(status)>> waiting;
  };
  using connection = std::shared_ptr<broker_connection>;

  std::shared_ptr<const image> current() const;
  static const broker::partition_description* find(const image& in, const topic_partition& which);
  connection make_connection(const io::host_port& where);
  connection pick_any();
  void ask_coordinator(const route& by, wire_call call);
  void look_coordinator_up(const std::string& group);
  void on_coordinator(const std::string& group, result<node_id_t> found);
  void refresh();
  void on_refreshed(bool succeeded);
  void schedule_refresh(monotonic_time when);
  void drop_stale_connections(const image& now);
  void close_when_idle(monotonic_time deadline);
  void close_all();
  void ask_leader(const route& by, wire_call call);
  void learn_node(std::int32_t id, const std::string& host, std::int32_t port);
  void heard_of_failure(const error& failure);

  const std::shared_ptr<network_thread> thread_;
  const std::shared_ptr<const remote_options> options_;

  mutable std::mutex mutex_;  // guards the next three
  std::shared_ptr<const image> image_;
  std::string trouble_;
  bool trouble_is_failure_ = false;
  std::atomic<std::uint64_t> version_{1};

  // The network's thread only.
  std::vector<connection> bootstrap_;
  std::map<std::pair<node_id_t, route::lane>, connection> connections_;
  std::map<std::string, looked_up_coordinator> coordinators_;
  std::set<std::string> wanted_topics_;
  std::map<std::string, monotonic_time> missing_topics_;  // when an answer last said so
  std::vector<reply<std::monostate>> waiting_for_metadata_;
  bool wants_all_ = false;
  bool refreshing_ = false;
  bool refresh_again_ = false;
  bool closing_ = false;
  executor::timer_id refresh_timer_ = 0;
  monotonic_time refresh_at_;
  monotonic_time refreshed_at_;
};

broker::topic_description describe_topic(const protocol::metadata_response::topic& answered);

}  // namespace ringlog::client::remote
