#include "client/group_commit.h"

#include <utility>

namespace ringlog::client {
namespace {

// The first failure of all.
status to_status(const result<broker::partition_failures>& answer) {
  if (!answer.ok()) return answer.failure();
  for (const auto& [source, failure] : *answer) {
    if (failure) return error(*failure).with_context("commit of " + source.to_string());
  }
  return {};
}

}  // namespace

void group_commit::start(std::shared_ptr<transport> over,
                         std::shared_ptr<const group_membership> member,
                         const consumer_options& options, partition_offsets what, outcome done) {
  std::make_shared<group_commit>(std::move(over), std::move(member), options, std::move(what),
                                 std::move(done))
      ->send();
}

group_commit::group_commit(std::shared_ptr<transport> over,
                           std::shared_ptr<const group_membership> member,
                           const consumer_options& options, partition_offsets what, outcome done)
    : over_(std::move(over)),
      member_(std::move(member)),
      backoff_(options.retry_backoff_ms),
      deadline_(over_->time().now() + milliseconds(options.default_api_timeout_ms)),
      what_(std::move(what)),
      done_(std::move(done)) {}

void group_commit::send() {
  broker::offset_commit_request request;
  request.from = member_->identity();
  for (const auto& [source, committed] : what_) request.offsets.emplace_back(source, committed);
  over_->broker().commit_offsets(std::move(request), [self = shared_from_this()](auto answer) {
    self->finish(to_status(answer));
  });
}

void group_commit::finish(status how) {
  const bool is_stale = !how.ok() && how.code() == broker::consumer_failures::stale_member_epoch;
  if (!is_stale) return done_(what_, std::move(how));
  const monotonic_time again = over_->time().now() + backoff_;
  if (again < deadline_ && member_->identity().generation > 0) {
    over_->engine().schedule_at(again, [self = shared_from_this()] { self->send(); });
    return;
  }
  how.failure().code = error_code::illegal_generation;
  done_(what_, std::move(how));
}

}  // namespace ringlog::client
