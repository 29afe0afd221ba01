#include "server/client_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/endian.h"
#include "broker/client_quotas.h"
#include "server/connection_home.h"
#include "server/served_apis.h"

namespace ringlog::server {
namespace {

// A frame as it is sent: its size, then its bytes.
struct sized_frame {
  std::array<std::byte, 4> size;
  byte_buffer bytes;
};

std::vector<shared_bytes> to_parts(byte_buffer bytes) {
  const auto owner = std::make_shared<sized_frame>();
  store_be(owner->size.data(), static_cast<std::int32_t>(bytes.size()));
  owner->bytes = std::move(bytes);
  return {{owner, owner->size}, {owner, owner->bytes}};
}

}  // namespace

client_connection::client_connection(connection_home& home, const io::socket_address& peer,
                                     const advertised_address& advertised, broker::broker& asked)
    : home_(home),
      shared_(home.shared()),
      from_(std::make_shared<caller>(caller{peer.host(), advertised, asked})),
      route_(std::make_shared<answer_route>(home.loop(), *this)),
      input_memory_(shared_->requests),
      input_(0, shared_->limits.frame_bytes_max,
             [this](std::size_t bytes) {
               return input_memory_.grow(static_cast<std::int64_t>(bytes));
             }),
      last_used_(shared_->time.now()) {}

client_connection::~client_connection() { shared_->connections.remove(from_->host); }

void client_connection::opened(io::connection& mine) {
  mine_ = &mine;
  home_.add(*this);
}

void client_connection::closed(const error& cause) {
  shared_->sink.log(log_level::info, "connection of {} is closed: {}", from_->host, cause.message);
  shared_->answer_bytes -= std::exchange(unsent_bytes_, 0);
  route_->close();
  if (mine_ == nullptr) return;  // it never was open
  mine_ = nullptr;
  if (held_off_ != 0) home_.loop().cancel(std::exchange(held_off_, 0));
  home_.remove(*this);
  for (const pending_call& call : pending_) {
    if (!call.outcome && *call.when_abandoned) (*call.when_abandoned)();
  }
}

void client_connection::close(error cause) {
  if (!is_open()) return;
  is_closing_ = true;
  mine_->close(std::move(cause));
}

// As Kafka, which closes when it reads the end.
void client_connection::peer_ended() {
  close(make_error(error_code::closed, "the client has closed the connection"));
}

// ---- receiving

void client_connection::received(bytes_view bytes) {
  last_used_ = shared_->time.now();
  if (is_held_) {
    append(held_, bytes);
  } else {
    read(bytes);
  }
}

void client_connection::read(bytes_view bytes) {
  while (!bytes.empty() && is_open()) {
    if (waiting_.size() + pending_.size() >= limits::requests_per_connection_max ||
        held_off_ != 0) {
      return hold(bytes);
    }
    switch (input_.take(bytes)) {
      case protocol::frame_reader::outcome::wants_more:
        break;
      case protocol::frame_reader::outcome::wants_memory:
        hold(bytes);
        return wait_for_memory();
      case protocol::frame_reader::outcome::has_frame:
        waiting_.push_back({input_.take_frame(), std::move(input_memory_)});
        begin_requests();
        break;
      case protocol::frame_reader::outcome::has_bad_size:
        return close(make_error(error_code::invalid_argument,
                                "a request of {} bytes is announced, socket.request.max.bytes is "
                                "{}: is this a client of Kafka, without TLS?",
                                input_.announced_size(), shared_->limits.frame_bytes_max));
    }
  }
}

void client_connection::hold(bytes_view rest) {
  held_ = to_buffer(rest);
  is_held_ = true;
  mine_->pause();
}

void client_connection::wait_for_memory() {
  waits_for_memory_ = true;
  shared_->requests.when_room([route = route_, &memory = shared_->requests] {
    route->run(
        [](client_connection& mine) {
          mine.waits_for_memory_ = false;
          mine.read_held();
        },
        [&memory] { memory.pass_on(); });
  });
}

void client_connection::read_held() {
  if (!is_held_ || waits_for_memory_ || held_off_ != 0 || is_draining_ || !is_open()) return;
  last_used_ = shared_->time.now();
  is_held_ = false;
  const byte_buffer bytes = std::exchange(held_, {});
  read(bytes);
  if (!is_held_ && is_open()) mine_->resume();
}

// ---- requests

bool client_connection::may_begin_next() const {
  if (waiting_.empty() || held_off_ != 0 || is_draining_ || !is_open()) return false;
  if (unsent_bytes_ > limits::unsent_answer_bytes_max) return false;
  const auto is_begun_produce = [](const pending_call& call) {
    return call.is_produce && !call.begins_aside;
  };
  return pending_.empty() || (is_produce_frame(waiting_.front().bytes) &&
                              std::ranges::all_of(pending_, is_begun_produce));
}

void client_connection::begin_requests() {
  if (is_beginning_) return;
  while (may_begin_next()) {
    frame next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next));
    send_answers();
  }
}

void client_connection::begin(frame next) {
  auto header = protocol::read_request_frame(next.bytes);
  if (!header.ok()) return close(std::move(header.failure()));
  const auto when_abandoned = std::make_shared<task>();
  const std::uint64_t number = ++last_number_;
  const monotonic_time began = shared_->time.now();
  pending_.push_back({.number = number,
                      .is_produce = is_produce_frame(next.bytes),
                      .api_key = header->api->key,
                      .began = began,
                      .when_abandoned = when_abandoned,
                      .outcome = std::nullopt});
  note_client(header->header.client_id.value_or(std::string_view()));
  is_beginning_ = true;
  const auto place = begin_call(
      {shared_, from_, route_, when_abandoned, number, std::move(next), std::move(*header)});
  is_beginning_ = false;
  count_busy(shared_->time.now() - began);
  if (!place.ok()) return close(place.failure());
  pending_.back().begins_aside = *place == begun::aside;
}

void client_connection::begun_aside(std::uint64_t number) {
  const auto found = std::ranges::find(pending_, number, &pending_call::number);
  if (found != pending_.end()) found->begins_aside = false;
  go_on();
}

void client_connection::note_client(std::string_view id) {
  if (client_id_ != id) client_id_ = id;
}

void client_connection::count_busy(nanoseconds time) {
  shared_->core.quotas().charge(broker::quota_kind::busy_time,
                                {call_base::anonymous_user, client_id_},
                                std::chrono::duration<double>(time).count());
}

void client_connection::hold_off(milliseconds pause) {
  if (pause <= milliseconds(0) || !is_open()) return;
  if (held_off_ != 0) home_.loop().cancel(held_off_);
  held_off_ = home_.loop().schedule_at(shared_->time.now() + pause, [this] {
    held_off_ = 0;
    go_on();
  });
}

void deliver(answer_route& route, std::uint64_t number, callback<outcome_of_call()> encode) {
  route.run([number, encode = std::move(encode)](client_connection& mine) mutable {
    mine.take_outcome(number, std::move(encode));
  });
}

void client_connection::take_outcome(std::uint64_t number, callback<outcome_of_call()> encode) {
  const auto found = std::ranges::find(pending_, number, &pending_call::number);
  CHECK(found != pending_.end(), "a call that is over twice", number);
  const monotonic_time began = shared_->time.now();
  found->outcome = encode();
  shared_->metrics.answered(found->api_key, shared_->time.now() - found->began);
  if (is_beginning_) return;  // begin_requests() goes on
  count_busy(shared_->time.now() - began);
  send_answers();
  go_on();
}

// ---- answers

void client_connection::send_answers() {
  while (is_open() && !pending_.empty() && pending_.front().outcome) {
    outcome_of_call outcome = std::move(*pending_.front().outcome);
    pending_.pop_front();
    if (!outcome.ok()) {
      // An answer that its version cannot say is our fault, not the client's.
      const bool is_refusal = outcome.code() == error_code::closed;
      shared_->sink.log(is_refusal ? log_level::info : log_level::error, "{}: {}", from_->host,
                        outcome.failure().message);
      return close(std::move(outcome.failure()));
    }
    if (outcome->bytes) mine_->send(to_parts(std::move(*outcome->bytes)));
    hold_off(outcome->pause);
  }
  account_unsent();
}

void client_connection::sent() {
  last_used_ = shared_->time.now();
  account_unsent();
  go_on();
}

void client_connection::account_unsent() {
  if (!is_open()) return;
  const auto unsent = static_cast<std::int64_t>(mine_->unsent_bytes());
  shared_->answer_bytes += unsent - std::exchange(unsent_bytes_, unsent);
}

// After an answer or some of it is gone.
void client_connection::go_on() {
  begin_requests();
  if (waiting_.size() + pending_.size() < limits::requests_per_connection_max) read_held();
  if (is_draining_ && pending_.empty() && unsent_bytes_ == 0) {
    close(make_error(error_code::closed, "the server ends"));
  }
}

// ---- the end

void client_connection::check_idle(monotonic_time now) {
  const nanoseconds unused = now - last_used_;
  const bool waits_for_us = !pending_.empty() && unsent_bytes_ == 0;
  if (waits_for_us || waits_for_memory_ || held_off_ != 0) return;
  if (input_.is_amid_frame() && !is_held_ && unused > limits::frame_pause_max) {
    close(make_error(error_code::timed_out, "a request broke off"));
  } else if (unused > shared_->limits.idle_max) {
    close(make_error(error_code::timed_out, "idle for longer than connections.max.idle.ms={}",
                     shared_->limits.idle_max.count()));
  }
}

void client_connection::drain() {
  is_draining_ = true;
  waiting_.clear();
  if (is_open()) mine_->pause();
  for (const pending_call& call : pending_) {
    if (!call.outcome && *call.when_abandoned) (*call.when_abandoned)();
  }
  go_on();
}

}  // namespace ringlog::server
