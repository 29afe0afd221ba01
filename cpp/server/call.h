#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/kafka_error.h"
#include "protocol/wire/api.h"
#include "server/advertised_address.h"
#include "server/answer_route.h"
#include "server/request_memory.h"
#include "server/shared_state.h"

namespace ringlog::server {

// Who asks whom, and where clients of that listener are told to find that broker.
struct caller {
  std::string host;  // numeric
  advertised_address broker_address;
  broker::broker& asked;
};

// A request that is about to be handled.
struct call_origin {
  std::shared_ptr<shared_state> shared;
  std::shared_ptr<const caller> from;
  std::shared_ptr<answer_route> route;
  std::shared_ptr<task> when_abandoned;
  std::uint64_t number;  // of the connection's requests
  frame bytes;
  protocol::request_frame header;  // views bytes
};

// One request under way, with what its handler needs: the broker's core, the request and the
// response to fill in. It is answered when the last holder lets go of it, so a handler gives a
// holder to each reply that it waits for and says no more. Whatever is not filled in by a reply
// that never comes must not read as success: handlers begin with an error where that matters.
//
// Replies come on any thread and each fills in places of its own. The response is encoded on the
// connection's thread; the request and what keep() was given live until then.
class call_base {
 public:
  static constexpr std::string_view anonymous_user = "ANONYMOUS";

  // Of several nodes that are presented, the one that was asked.
  broker::broker& core() const { return origin_.from->asked; }
  const shared_state& shared() const { return *origin_.shared; }
  client_telemetry& telemetry() const { return origin_.shared->telemetry; }
  server_metrics& metrics() const { return origin_.shared->metrics; }
  fetch_session_cache& fetch_sessions() const { return origin_.shared->fetch_sessions; }
  const caller& from() const { return *origin_.from; }
  std::int16_t version() const { return origin_.header.header.request_api_version; }
  std::string client_id() const { return std::string(client().client_id); }

  // Nobody says who he is.
  broker::client_identity client() const {
    return {anonymous_user, origin_.header.header.client_id.value_or(std::string_view())};
  }

  // The client hears that it has to pause for so long, and its next requests begin after that.
  // Of several times the longest counts. Any thread.
  void pause_client(milliseconds pause);

  std::int64_t frame_bytes() const { return static_cast<std::int64_t>(origin_.bytes.bytes.size()); }

  // What the answer shows goes into this, where it can be far more than what was asked with. False
  // when it is full: the rest is refused. Any thread.
  bool has_room_for(std::size_t bytes) {
    return (shown_bytes_ += static_cast<std::int64_t>(bytes)) <= limits::shown_bytes_max;
  }

  // For the response's views. One thread at a time.
  void keep(std::shared_ptr<const void> owner) { kept_.push_back(std::move(owner)); }

  // While the handler runs: what is to be stopped when the client is gone before the answer.
  void when_abandoned(task stop) { *origin_.when_abandoned = std::move(stop); }

  // Nothing is sent (Produce with acks=0).
  void answer_nothing() { sends_answer_ = false; }

  // The connection is closed in place of an answer. Any thread.
  void close_connection() { closes_ = true; }

 protected:
  explicit call_base(call_origin origin) : origin_(std::move(origin)) {}

  // All reasons together.
  milliseconds pause_of_client() const;
  ~call_base() = default;

  call_origin origin_;
  std::vector<std::shared_ptr<const void>> kept_;
  bool sends_answer_ = true;
  std::atomic<bool> closes_ = false;
  std::atomic<std::int64_t> shown_bytes_ = 0;
  std::atomic<std::int64_t> pause_ms_ = 0;
};

// What the connection gets of a call that is over, unless it is to be closed.
struct call_outcome {
  std::optional<byte_buffer> bytes;  // to send, if any
  milliseconds pause{0};             // before the next request begins
};
using outcome_of_call = result<call_outcome>;

template <typename Request, typename Response>
class call final : public call_base {
 public:
  const Request request;
  Response response;

  static std::shared_ptr<call> make(call_origin origin, Request request) {
    return {new call(std::move(origin), std::move(request)), [](call* over) { over->finish(); }};
  }

 private:
  call(call_origin origin, Request asked)
      : call_base(std::move(origin)), request(std::move(asked)) {}
  friend struct std::default_delete<call>;
  ~call() = default;

  void finish();
  outcome_of_call encode();
};

template <typename Request, typename Response>
using call_ptr = std::shared_ptr<call<Request, Response>>;

// Kafka's number for an outcome, as responses have it.
inline constexpr std::int16_t code_of(model::kafka_error which) {
  return static_cast<std::int16_t>(which);
}
inline std::int16_t code_of(const std::optional<error>& failure) {
  return failure ? code_of(model::to_kafka(failure->code)) : std::int16_t{0};
}
template <typename T>
std::int16_t code_of(const result<T>& outcome) {
  return outcome.ok() ? std::int16_t{0} : code_of(model::to_kafka(outcome.code()));
}

// Its sentence; none of a success.
template <typename T>
std::optional<std::string> message_of(const result<T>& outcome) {
  if (outcome.ok()) return std::nullopt;
  return outcome.failure().message;
}

// For the connection of a finished call.
void deliver(answer_route& route, std::uint64_t number, callback<outcome_of_call()> encode);

template <typename Request, typename Response>
void call<Request, Response>::finish() {
  // Taken aside, because `this` goes with the closure.
  const std::shared_ptr<answer_route> route = origin_.route;
  const std::uint64_t number = origin_.number;
  deliver(*route, number, [over = std::unique_ptr<call>(this)] { return over->encode(); });
}

template <typename Request, typename Response>
outcome_of_call call<Request, Response>::encode() {
  if (closes_) return make_error(error_code::closed, "{} was refused", Request::info.name);
  const milliseconds pause = pause_of_client();
  if (!sends_answer_) return call_outcome{std::nullopt, pause};
  if constexpr (requires { response.throttle_time_ms; }) {
    response.throttle_time_ms = static_cast<std::int32_t>(pause.count());
  }
  const std::int32_t id = origin_.header.header.correlation_id;
  TRY_ASSIGN(byte_buffer bytes, protocol::encode_response(id, response, version()));
  return call_outcome{std::move(bytes), pause};
}

}  // namespace ringlog::server
