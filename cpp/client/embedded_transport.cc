#include "client/embedded_transport.h"

#include <utility>

#include "client/embedded_service.h"

namespace ringlog::client {
namespace {

class embedded_transport final : public transport {
 public:
  explicit embedded_transport(std::shared_ptr<node::node> opened)
      : node_(std::move(opened)), service_(node_->broker()) {}

  service& broker() override { return service_; }
  executor& engine() override { return node_->engine(); }
  const clock& time() const override { return node_->time(); }
  random_source& random() override { return node_->random(); }
  log_sink& log() override { return node_->log("ringlog.client"); }
  status check_usable() const override { return node_->check_usable(); }

 private:
  const std::shared_ptr<node::node> node_;
  embedded_service service_;
};

}  // namespace

std::shared_ptr<transport> make_embedded_transport(std::shared_ptr<node::node> opened) {
  return std::make_shared<embedded_transport>(std::move(opened));
}

}  // namespace ringlog::client
