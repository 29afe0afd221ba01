#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "broker/types.h"
#include "client/remote/cluster.h"
#include "client/remote/kafka_codes.h"

namespace ringlog::client::remote {

// What is asked, of whom, and how the answer is read.
template <typename Request, typename Response, typename T>
struct call_plan {
  route by;
  std::string what;  // in front of the error's message
  std::int16_t lowest_version = 0;
  std::int16_t highest_version = std::numeric_limits<std::int16_t>::max();
  std::int64_t try_timeout_ms = 0;  // 0: request_timeout_ms
  bool is_retried = true;
  bool is_waited_for = true;  // the process's end waits for it
  // What the request views is kept by this function.
  std::function<void(Request&, std::int16_t version)> fill;
  std::function<result<T>(Response&, const wire_answer&)> take;
};

// One request of Kafka's protocol with its tries: the route is followed anew for each, failures
// that may pass are tried again every retry_backoff_ms until default_api_timeout_ms is over. On the
// network's thread; `done` is called once, there.
template <typename Request, typename Response, typename T>
class remote_call : public std::enable_shared_from_this<remote_call<Request, Response, T>> {
 public:
  using plan = call_plan<Request, Response, T>;

  remote_call(std::shared_ptr<cluster> over, plan how, reply<T> done)
      : over_(std::move(over)),
        plan_(std::move(how)),
        done_(std::move(done)),
        deadline_(over_->thread().time().now() +
                  milliseconds(over_->options().default_api_timeout_ms)) {
    if (plan_.is_waited_for) over_->thread().call_began();
  }
  ~remote_call() {
    if (plan_.is_waited_for) over_->thread().call_ended();
  }
  remote_call(const remote_call&) = delete;
  remote_call& operator=(const remote_call&) = delete;

  void start() {
    const std::int64_t timeout_ms =
        plan_.try_timeout_ms > 0 ? plan_.try_timeout_ms : over_->options().request_timeout_ms;
    wire_call call;
    call.api = protocol::api_key{Request::info.api_key};
    call.lowest_version = plan_.lowest_version;
    call.highest_version = plan_.highest_version;
    call.deadline = over_->thread().time().now() + milliseconds(timeout_ms);
    call.encode = [self = this->shared_from_this()](const protocol::request_header& header) {
      Request request;
      self->plan_.fill(request, header.request_api_version);
      return protocol::encode_request(header, request);
    };
    call.done = [self = this->shared_from_this()](result<wire_answer> answer) {
      self->answered(std::move(answer));
    };
    over_->ask(plan_.by, std::move(call));
  }

 private:
  void answered(result<wire_answer> answer) {
    result<T> outcome = take(std::move(answer));
    if (outcome.ok()) return done_(std::move(outcome));
    const error_code code = outcome.code();
    over_->note_failure(plan_.by, code);
    const monotonic_time again =
        over_->thread().time().now() + milliseconds(over_->options().retry_backoff_ms);
    if (!plan_.is_retried || !may_pass(code) || again > deadline_) {
      error failure = std::move(outcome.failure()).with_context(plan_.what);
      if (plan_.is_retried && code == nobody_there) failure.code = error_code::timed_out;
      return done_(std::move(failure));
    }
    over_->thread().loop().schedule_at(again, [self = this->shared_from_this()] { self->start(); });
  }

  result<T> take(result<wire_answer> answer) {
    if (!answer.ok()) return std::move(answer.failure());
    TRY_ASSIGN(Response message, decode_answer<Response>(*answer));
    return plan_.take(message, *answer);
  }

  bool may_pass(error_code code) const {
    if (code == error_code::unknown_topic_or_partition && plan_.by.to == route::kind::leader) {
      return over_->find_topic(plan_.by.partition.topic) &&
             over_->leader_of(plan_.by.partition).has_value();
    }
    return is_passing(code);
  }

  const std::shared_ptr<cluster> over_;
  const plan plan_;
  reply<T> done_;
  const monotonic_time deadline_;
};

// Starts it; on the network's thread.
template <typename Request, typename Response, typename T>
void call_remote(std::shared_ptr<cluster> over, call_plan<Request, Response, T> plan,
                 reply<T> done) {
  std::make_shared<remote_call<Request, Response, T>>(std::move(over), std::move(plan),
                                                      std::move(done))
      ->start();
}

}  // namespace ringlog::client::remote
