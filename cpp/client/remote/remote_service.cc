#include "client/remote/remote_service.h"

#include <utility>

namespace ringlog::client::remote {

remote_service::remote_service(std::shared_ptr<network_thread> thread, remote_options options)
    : thread_(std::move(thread)),
      cluster_(std::make_shared<cluster>(thread_, std::move(options))),
      sender_(std::make_shared<produce_sender>(cluster_)),
      fetcher_(std::make_shared<fetcher>(cluster_)) {}

remote_service::~remote_service() {
  if (!thread_->check_usable().ok()) return;
  thread_->loop().post([closing = cluster_] { closing->close(); });
}

void remote_service::bootstrap(reply<std::monostate> done) {
  post(std::move(done), [to = cluster_](auto reply) { to->when_known(std::move(reply)); });
}

// ---- records

void remote_service::produce(broker::produce_request request, reply<broker::produce_answer> done) {
  post(std::move(done), [to = sender_, request = std::move(request)](auto reply) mutable {
    to->produce(std::move(request), std::move(reply));
  });
}

service::fetch_token remote_service::fetch(broker::fetch_request request,
                                           reply<broker::fetch_answer> done) {
  const fetch_token token = last_token_.fetch_add(1) + 1;
  post(std::move(done), [to = fetcher_, token, request = std::move(request)](auto reply) mutable {
    to->fetch(token, std::move(request), std::move(reply));
  });
  return token;
}

void remote_service::cancel_fetch(fetch_token token) {
  if (!thread_->check_usable().ok()) return;
  thread_->loop().post([to = fetcher_, token] { to->cancel(token); });
}

// ---- the cluster

std::optional<broker::topic_description> remote_service::find_topic(std::string_view name) {
  return cluster_->find_topic(name);
}

std::uint64_t remote_service::metadata_version() const { return cluster_->metadata_version(); }

}  // namespace ringlog::client::remote
