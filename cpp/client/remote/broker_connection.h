#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash_map.h"
#include "client/remote/network_thread.h"
#include "client/remote/remote_options.h"
#include "client/remote/wire_call.h"
#include "protocol/frame_reader.h"

namespace ringlog::client::remote {

// One client's connection to one broker, made when something is asked and made again after it broke
// (Kafka: NetworkClient, ClusterConnectionStates). Stages: the name is looked up, or the owner of a
// log of this machine; each of its addresses is tried, ApiVersions is asked; then requests go out
// as they come, pipelined, and are answered in their order. What was asked meanwhile waits.
//
// After a failure everything that waits fails, and for reconnect_backoff_ms, doubled with each
// failure up to reconnect_backoff_max_ms, what is asked fails at once: whoever asks decides anew
// whom to ask. An answer that is late closes the connection, because those behind it are late too.
//
// Made and used on the network's thread only; shared by its cluster and by its socket's callbacks.
class broker_connection : public std::enable_shared_from_this<broker_connection> {
 public:
  // `heard` is told of each stage of connecting that is waited for (timed_out), and of each failure
  // to connect (nobody_there), with the stage.
  broker_connection(std::shared_ptr<network_thread> thread,
                    std::shared_ptr<const remote_options> options, io::host_port where,
                    std::function<void(const error&)> heard);

  void ask(wire_call call);

  const io::host_port& where() const { return where_; }
  bool is_ready() const { return stage_ == stage::ready; }
  bool is_backing_off() const;
  std::size_t calls_under_way() const { return waiting_.size() + in_flight_.size(); }

  // Everything under way fails with the cause; nothing may be asked any more.
  void close(const error& cause);

 private:
  enum class stage : std::uint8_t { idle, resolving, connecting, negotiating, ready, closed };
  class link;

  struct sent_call {
    std::int32_t correlation_id;
    std::int16_t version;
    monotonic_time deadline;
    callback<void(result<wire_answer>)> done;
  };
  struct version_range {
    std::int16_t lowest;
    std::int16_t highest;
  };

  void start();
  void find_owner();
  void on_resolved(result<std::vector<io::socket_address>> found);
  void try_next_address();
  void on_opened(io::connection& made);
  void on_closed(const error& cause);
  void on_received(bytes_view bytes);
  void negotiate(std::int16_t version);
  void on_negotiated(const wire_answer& answer);
  void answer_later(wire_call call, result<wire_answer> answer);
  void send_waiting();
  void send(wire_call call);
  result<std::int16_t> choose_version(const wire_call& call) const;
  void transmit(byte_buffer message);
  void take_frame(std::shared_ptr<const byte_buffer> frame);
  std::string_view stage_name() const;
  void fail_attempt(std::string_view what, error cause);
  void fail_all(const error& unsent, const error& lost);
  void watch_deadlines();
  void on_deadline();
  void watch_idle();
  void on_idle_timer();
  void tell_stage() const;
  std::string label() const;

  const std::shared_ptr<network_thread> thread_;
  const std::shared_ptr<const remote_options> options_;
  const io::host_port where_;
  const std::function<void(const error&)> heard_;

  stage stage_ = stage::idle;
  std::uint64_t attempt_ = 0;  // callbacks of an earlier attempt are ignored
  std::vector<io::socket_address> addresses_;
  std::size_t next_address_ = 0;
  int process_ = 0;  // of the log's owner, if that is who is asked
  io::connection* socket_ = nullptr;
  protocol::frame_reader incoming_;
  hash_map<std::int16_t, version_range> versions_;  // by api key

  std::deque<wire_call> waiting_;
  std::deque<sent_call> in_flight_;
  std::int32_t last_correlation_id_ = 0;

  std::int64_t failures_ = 0;  // in a row
  monotonic_time not_before_;
  std::optional<error> last_failure_;

  executor::timer_id deadline_timer_ = 0;
  monotonic_time deadline_at_;
  executor::timer_id idle_timer_ = 0;
  monotonic_time active_at_;
};

}  // namespace ringlog::client::remote
