#include "client/remote/broker_connection.h"

#include <algorithm>

#include "base/endian.h"
#include "client/remote/kafka_codes.h"
#include "client/remote/log_owner.h"
#include "model/kafka_error.h"
#include "protocol/wire/cluster/api_versions.h"

namespace ringlog::client::remote {
namespace {

using protocol::api_versions_request;
using protocol::api_versions_response;

// The part of a back-off that is left to chance, so that many clients do not come at once.
constexpr std::int64_t jitter_percent = 20;

// The least that can be an answer: its correlation id.
constexpr std::int64_t answer_bytes_min = sizeof(std::int32_t);

// A connection that is not idle when it might be is looked at again after so long.
constexpr milliseconds idle_look{500};

// Kafka: RequestHeader of ApiVersions; what brokers show in their metrics.
constexpr std::string_view software_name = "ringlog";

}  // namespace

// What the socket calls. Outlives the connection object, and attempts of it.
class broker_connection::link final : public io::connection_user {
 public:
  link(std::weak_ptr<broker_connection> to, std::uint64_t attempt)
      : to_(std::move(to)), attempt_(attempt) {}

  void opened(io::connection& mine) override {
    socket_ = &mine;
    if (const auto to = current()) {
      to->on_opened(mine);
    } else {
      mine.close(make_error(error_code::closed, "the client was closed"));
    }
  }
  void received(bytes_view bytes) override {
    if (const auto to = current()) to->on_received(bytes);
  }
  void peer_ended() override {
    socket_->close(make_error(error_code::closed, "the broker closed the connection"));
  }
  void closed(const error& cause) override {
    if (const auto to = current()) to->on_closed(cause);
  }

 private:
  std::shared_ptr<broker_connection> current() const {
    auto to = to_.lock();
    return to != nullptr && to->attempt_ == attempt_ ? to : nullptr;
  }

  const std::weak_ptr<broker_connection> to_;
  const std::uint64_t attempt_;
  io::connection* socket_ = nullptr;
};

broker_connection::broker_connection(std::shared_ptr<network_thread> thread,
                                     std::shared_ptr<const remote_options> options,
                                     io::host_port where, std::function<void(const error&)> heard)
    : thread_(std::move(thread)),
      options_(std::move(options)),
      where_(std::move(where)),
      heard_(std::move(heard)),
      incoming_(answer_bytes_min, options_->receive_message_max_bytes) {}

std::string broker_connection::label() const {
  if (options_->owner != nullptr) {
    return process_ == 0 ? "the log's owner" : fmt::format("process {}", process_);
  }
  const bool bracketed = where_.host.find(':') != std::string::npos;
  return bracketed ? fmt::format("[{}]:{}", where_.host, where_.port)
                   : fmt::format("{}:{}", where_.host, where_.port);
}

bool broker_connection::is_backing_off() const {
  return stage_ == stage::idle && thread_->time().now() < not_before_;
}

// ---- asking

void broker_connection::ask(wire_call call) {
  if (stage_ == stage::ready) return send(std::move(call));
  if (stage_ == stage::closed || is_backing_off()) {
    return answer_later(std::move(call),
                        last_failure_.value_or(error{nobody_there, "the client was closed"}));
  }
  waiting_.push_back(std::move(call));
  watch_deadlines();
  if (stage_ == stage::idle) start();
}

// From the loop, as all other answers come.
void broker_connection::answer_later(wire_call call, result<wire_answer> answer) {
  thread_->loop().post([done = std::move(call.done), answer = std::move(answer)]() mutable {
    done(std::move(answer));
  });
}

void broker_connection::send_waiting() {
  while (!waiting_.empty() && stage_ == stage::ready) {
    wire_call next = std::move(waiting_.front());
    waiting_.pop_front();
    send(std::move(next));
  }
}

result<std::int16_t> broker_connection::choose_version(const wire_call& call) const {
  const protocol::api_info& info = protocol::info_of(call.api);
  const auto theirs = versions_.find(info.key);
  if (theirs == versions_.end()) {
    return make_error(error_code::unsupported, "the broker at {} does not serve {}", label(),
                      info.name);
  }
  const std::int16_t lowest =
      std::max({info.lowest_version, call.lowest_version, theirs->second.lowest});
  const std::int16_t highest = std::min({info.highest_version, info.highest_advertised_version,
                                         call.highest_version, theirs->second.highest});
  if (lowest <= highest) return highest;
  return make_error(error_code::unsupported,
                    "the broker at {} serves {} in versions {} to {}; {} to {} can be asked here",
                    label(), info.name, theirs->second.lowest, theirs->second.highest,
                    std::max(info.lowest_version, call.lowest_version),
                    std::min(info.highest_advertised_version, call.highest_version));
}

void broker_connection::send(wire_call call) {
  auto version = choose_version(call);
  if (!version.ok()) return answer_later(std::move(call), std::move(version.failure()));
  protocol::request_header header;
  header.request_api_key = static_cast<std::int16_t>(call.api);
  header.request_api_version = *version;
  header.correlation_id = ++last_correlation_id_;
  header.client_id = options_->client_id;
  auto message = call.encode(header);
  if (!message.ok()) return answer_later(std::move(call), std::move(message.failure()));
  active_at_ = thread_->time().now();
  if (call.wants_answer) {
    in_flight_.push_back({header.correlation_id, *version, call.deadline, std::move(call.done)});
    transmit(std::move(*message));
    watch_deadlines();
  } else {
    transmit(std::move(*message));
    answer_later(std::move(call), wire_answer{nullptr, *version});
  }
}

void broker_connection::transmit(byte_buffer message) {
  const auto size = std::make_shared<byte_buffer>(sizeof(std::int32_t));
  store_be(size->data(), static_cast<std::int32_t>(message.size()));
  const auto body = std::make_shared<byte_buffer>(std::move(message));
  socket_->send({{size, *size}, {body, *body}});
}

// ---- connecting

std::string_view broker_connection::stage_name() const {
  const bool is_by_name = options_->owner == nullptr;
  switch (stage_) {
    case stage::resolving:
      return is_by_name ? "name resolution" : "finding the log's owner";
    case stage::connecting:
      return is_by_name ? "TCP" : "socket";
    case stage::negotiating:
      return "ApiVersions";
    default:
      return "connection";
  }
}

void broker_connection::tell_stage() const {
  heard_(make_error(error_code::timed_out, "{}: {}: no answer yet", label(), stage_name()));
}

void broker_connection::start() {
  stage_ = stage::resolving;
  if (options_->owner != nullptr) return find_owner();
  const std::uint64_t attempt = ++attempt_;
  auto numeric = io::socket_address::of_host(where_.host, where_.port);
  if (numeric.ok()) return on_resolved(std::vector{std::move(*numeric)});
  tell_stage();
  // The resolver may take long: not on this thread.
  using addresses = result<std::vector<io::socket_address>>;
  const auto found = std::make_shared<std::optional<addresses>>();
  thread_->loop().run_blocking(
      [found, where = where_] {
        found->emplace(io::socket_address::look_up(where));
        return status();
      },
      [weak = weak_from_this(), attempt, found](const status&) {
        const auto self = weak.lock();
        if (self && self->attempt_ == attempt) self->on_resolved(std::move(**found));
      });
}

// This process may become the owner, which takes a recovery: not on this thread.
void broker_connection::find_owner() {
  const std::uint64_t attempt = ++attempt_;
  tell_stage();
  executor& loop = thread_->loop();
  loop.post_aside([&loop, weak = weak_from_this(), attempt, owner = options_->owner] {
    auto found = owner->find();
    loop.post([weak, attempt, found = std::move(found)]() mutable {
      const auto self = weak.lock();
      if (!self || self->attempt_ != attempt) return;
      if (!found.ok()) return self->on_resolved(std::move(found.failure()));
      self->process_ = found->process;
      self->on_resolved(std::vector{std::move(found->socket)});
    });
  });
}

void broker_connection::on_resolved(result<std::vector<io::socket_address>> found) {
  if (!found.ok()) return fail_attempt(stage_name(), std::move(found.failure()));
  addresses_ = std::move(*found);
  next_address_ = 0;
  stage_ = stage::connecting;
  try_next_address();
}

void broker_connection::try_next_address() {
  tell_stage();
  const io::socket_address where = addresses_[next_address_++];
  const monotonic_time deadline =
      thread_->time().now() + milliseconds(options_->socket_connection_setup_timeout_ms);
  thread_->network().connect(where, deadline, std::make_unique<link>(weak_from_this(), attempt_),
                             {options_->send_buffer_bytes, options_->receive_buffer_bytes});
}

void broker_connection::on_opened(io::connection& made) {
  socket_ = &made;
  if (options_->owner != nullptr) {
    const auto process = made.peer_process();
    if (!process.ok() || *process != process_) {
      return made.close(make_error(error_code::closed,
                                   "the socket is not that of process {}, who does not listen yet",
                                   process_));
    }
    options_->owner->note_reached(process_);
  }
  stage_ = stage::negotiating;
  incoming_ = protocol::frame_reader(answer_bytes_min, options_->receive_message_max_bytes);
  tell_stage();
  negotiate(api_versions_request::info.highest_version);
}

void broker_connection::negotiate(std::int16_t version) {
  protocol::request_header header;
  header.request_api_key = api_versions_request::info.api_key;
  header.request_api_version = version;
  header.correlation_id = ++last_correlation_id_;
  header.client_id = options_->client_id;
  api_versions_request request;
  request.client_software_name = software_name;
  request.client_software_version = RINGLOG_VERSION;
  auto message = protocol::encode_request(header, request);
  CHECK(message.ok(), "ApiVersions cannot be encoded:", message.failure().message);
  const monotonic_time deadline =
      thread_->time().now() + milliseconds(options_->request_timeout_ms);
  in_flight_.push_back({header.correlation_id, version, deadline, [this](auto answer) {
                          if (answer.ok()) on_negotiated(*answer);
                        }});
  transmit(std::move(*message));
  watch_deadlines();
}

// A broker that does not know the version answers in version 0 with those that it knows (KIP-511).
void broker_connection::on_negotiated(const wire_answer& answer) {
  constexpr auto unknown_version =
      static_cast<std::int16_t>(model::kafka_error::unsupported_version);
  protocol::reader in(*answer.frame);
  in.read_integer<std::int32_t>();
  const bool is_refused = in.read_integer<std::int16_t>() == unknown_version;
  auto known = decode_answer<api_versions_response>(
      {answer.frame, is_refused ? std::int16_t{0} : answer.version});
  if (!known.ok()) return socket_->close(std::move(known.failure()));
  std::int16_t again = 0;
  versions_.clear();
  for (const auto& each : known->api_keys) {
    versions_[each.api_key] = {each.min_version, each.max_version};
    if (each.api_key == api_versions_request::info.api_key) again = each.max_version;
  }
  if (is_refused) {
    if (answer.version > again) return negotiate(again);
    return socket_->close(make_error(error_code::unsupported,
                                     "the broker refuses every version of ApiVersions: is it Kafka "
                                     "0.10 or later?"));
  }
  if (known->error_code != 0) {
    return socket_->close(make_error(code_of(known->error_code),
                                     "the broker answered ApiVersions with error {}",
                                     known->error_code));
  }
  stage_ = stage::ready;
  failures_ = 0;
  last_failure_.reset();
  active_at_ = thread_->time().now();
  watch_idle();
  send_waiting();
}

// ---- answers

void broker_connection::on_received(bytes_view bytes) {
  const auto self = shared_from_this();  // an answer may let go of this
  const std::uint64_t attempt = attempt_;
  while (!bytes.empty() && attempt == attempt_) {
    const auto outcome = incoming_.take(bytes);
    if (outcome == protocol::frame_reader::outcome::has_bad_size) {
      return socket_->close(make_error(error_code::corrupt,
                                       "an answer of {} bytes is announced, "
                                       "receive_message_max_bytes is {}: is this a Kafka broker, "
                                       "without TLS?",
                                       incoming_.announced_size(),
                                       options_->receive_message_max_bytes));
    }
    if (outcome == protocol::frame_reader::outcome::has_frame) {
      take_frame(std::make_shared<const byte_buffer>(incoming_.take_frame()));
    }
  }
}

void broker_connection::take_frame(std::shared_ptr<const byte_buffer> frame) {
  const auto id = load_be<std::int32_t>(frame->data());
  if (in_flight_.empty() || in_flight_.front().correlation_id != id) {
    return socket_->close(make_error(error_code::corrupt,
                                     "the answer has correlation id {}, which was not the next one "
                                     "asked: is this a Kafka broker?",
                                     id));
  }
  sent_call call = std::move(in_flight_.front());
  in_flight_.pop_front();
  active_at_ = thread_->time().now();
  call.done(wire_answer{std::move(frame), call.version});
}

// ---- failures

void broker_connection::on_closed(const error& cause) {
  socket_ = nullptr;
  if (stage_ == stage::connecting && next_address_ < addresses_.size()) {
    last_failure_ = cause;
    return try_next_address();
  }
  fail_attempt(stage_name(), error{cause.code, cause.message});
}

void broker_connection::fail_attempt(std::string_view what, error cause) {
  const bool was_ready = stage_ == stage::ready;
  stage_ = stage::idle;
  ++attempt_;
  ++failures_;
  const std::int64_t doubled = options_->reconnect_backoff_ms
                               << std::min<std::int64_t>(failures_ - 1, 16);
  const std::int64_t pause = std::min(
      doubled, std::max(options_->reconnect_backoff_max_ms, options_->reconnect_backoff_ms));
  const auto spread = static_cast<std::uint64_t>(pause * jitter_percent / 100 + 1);
  not_before_ = thread_->time().now() +
                milliseconds(pause + static_cast<std::int64_t>(thread_->random().below(spread)));
  last_failure_ = make_error(nobody_there, "{}: {}: {}", label(), what, cause.message);
  const error unsent = *last_failure_;
  if (!was_ready) heard_(unsent);
  fail_all(unsent,
           make_error(error_code::timed_out, "{}: the connection broke before the answer: {}",
                      label(), cause.message));
}

void broker_connection::fail_all(const error& unsent, const error& lost) {
  const auto self = shared_from_this();
  std::deque<wire_call> waiting = std::exchange(waiting_, {});
  std::deque<sent_call> in_flight = std::exchange(in_flight_, {});
  for (sent_call& call : in_flight) call.done(error(lost));
  for (wire_call& call : waiting) call.done(error(unsent));
}

void broker_connection::close(const error& cause) {
  if (stage_ == stage::closed) return;
  stage_ = stage::closed;
  ++attempt_;
  if (socket_ != nullptr) std::exchange(socket_, nullptr)->close(cause);
  thread_->loop().cancel(deadline_timer_);
  thread_->loop().cancel(idle_timer_);
  fail_all(error{nobody_there, cause.message}, error{error_code::timed_out, cause.message});
}

// ---- time

void broker_connection::watch_deadlines() {
  std::optional<monotonic_time> first;
  for (const wire_call& call : waiting_)
    first = std::min(first.value_or(call.deadline), call.deadline);
  for (const sent_call& call : in_flight_) {
    first = std::min(first.value_or(call.deadline), call.deadline);
  }
  if (!first || (deadline_timer_ != 0 && deadline_at_ <= *first)) return;
  thread_->loop().cancel(deadline_timer_);
  deadline_at_ = *first;
  deadline_timer_ = thread_->loop().schedule_at(*first, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_deadline();
  });
}

void broker_connection::on_deadline() {
  deadline_timer_ = 0;
  const monotonic_time now = thread_->time().now();
  std::deque<wire_call> late;
  std::erase_if(waiting_, [&](wire_call& call) {
    if (call.deadline > now) return false;
    late.push_back(std::move(call));
    return true;
  });
  for (wire_call& call : late) {
    call.done(make_error(nobody_there, "{}: {}: not connected in time", label(), stage_name()));
  }
  const bool is_lost =
      std::ranges::any_of(in_flight_, [&](const sent_call& call) { return call.deadline <= now; });
  if (is_lost && socket_ != nullptr) {
    socket_->close(make_error(error_code::timed_out, "no answer in request_timeout_ms ({})",
                              options_->request_timeout_ms));
  } else {
    watch_deadlines();
  }
}

void broker_connection::watch_idle() {
  if (options_->connections_max_idle_ms <= 0 || idle_timer_ != 0) return;
  const milliseconds idle_max(options_->connections_max_idle_ms);
  const monotonic_time next = std::max(active_at_ + idle_max, thread_->time().now() + idle_look);
  idle_timer_ = thread_->loop().schedule_at(next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_idle_timer();
  });
}

void broker_connection::on_idle_timer() {
  idle_timer_ = 0;
  if (stage_ != stage::ready) return;
  const milliseconds idle_max(options_->connections_max_idle_ms);
  const bool is_idle = calls_under_way() == 0 && thread_->time().now() - active_at_ >= idle_max;
  if (!is_idle) return watch_idle();
  stage_ = stage::idle;
  ++attempt_;
  std::exchange(socket_, nullptr)
      ->close(make_error(error_code::closed, "idle for connections_max_idle_ms"));
}

}  // namespace ringlog::client::remote
