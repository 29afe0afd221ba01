#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "io/network.h"
#include "protocol/frame_reader.h"
#include "server/call.h"

namespace ringlog::server {

class connection_home;

// One client: its frames become calls, its answers go out in the order of its requests. As in
// Kafka, a request begins when the one before it is answered, so that it sees what that one did;
// only Produces are begun while others wait for the disk. What may block begins on another thread.
//
// Nothing more is read while limits::requests_per_connection_max requests wait, while the server's
// request memory is full, while the client leaves more than limits::unsent_answer_bytes_max of
// answers unread, or while it has to pause for its quotas. A client that sends what is no request
// of ours is closed, as Kafka does it.
//
// Owned by its io::connection; all on its thread.
class client_connection final : public io::connection_user {
 public:
  client_connection(connection_home& home, const io::socket_address& peer,
                    const advertised_address& advertised, broker::broker& asked);
  ~client_connection() override;

  void opened(io::connection& mine) override;
  void received(bytes_view bytes) override;
  void peer_ended() override;
  void sent() override;
  void closed(const error& cause) override;

  // A request is being begun: what is ready for this connection may come inside of it.
  bool is_beginning() const { return is_beginning_; }

  // The call of that number is over; `encode` makes what is left to do of it.
  void take_outcome(std::uint64_t number, callback<outcome_of_call()> encode);

  // Its handler, which ran aside, is done; the answer may still be to come.
  void begun_aside(std::uint64_t number);

  // Closes when nobody used it for too long, or a frame broke off.
  void check_idle(monotonic_time now);

  // Begins no more requests and closes when those under way are answered.
  void drain();

  std::size_t index = 0;  // its place in its home

 private:
  struct pending_call {
    std::uint64_t number;
    bool is_produce;
    bool begins_aside = false;
    std::int16_t api_key;
    monotonic_time began;
    std::shared_ptr<task> when_abandoned;
    std::optional<outcome_of_call> outcome;
  };

  bool is_open() const { return mine_ != nullptr && !is_closing_; }
  void read(bytes_view bytes);
  void hold(bytes_view rest);
  void wait_for_memory();
  void read_held();
  bool may_begin_next() const;
  void begin_requests();
  void begin(frame next);
  void note_client(std::string_view id);
  void count_busy(nanoseconds time);
  void send_answers();
  void go_on();
  void account_unsent();
  void hold_off(milliseconds pause);
  void close(error cause);

  connection_home& home_;
  const std::shared_ptr<shared_state> shared_;
  const std::shared_ptr<const caller> from_;
  const std::shared_ptr<answer_route> route_;
  io::connection* mine_ = nullptr;      // while it is open
  request_memory::share input_memory_;  // of the frame that is read
  protocol::frame_reader input_;
  byte_buffer held_;  // received, but not read yet
  bool is_held_ = false;
  bool waits_for_memory_ = false;
  std::deque<frame> waiting_;
  std::deque<pending_call> pending_;  // in the order of their requests
  std::uint64_t last_number_ = 0;
  std::int64_t unsent_bytes_ = 0;  // as counted in shared_state
  bool is_beginning_ = false;
  bool is_closing_ = false;
  bool is_draining_ = false;
  executor::timer_id held_off_ = 0;  // until it fires no request begins
  std::string client_id_;            // of the last request
  monotonic_time last_used_;
};

}  // namespace ringlog::server
