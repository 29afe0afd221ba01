#include "client/group_membership.h"

#include <utility>

#include "client/classic_membership.h"
#include "client/consumer_membership.h"

namespace ringlog::client {

std::shared_ptr<group_membership> group_membership::make(std::shared_ptr<transport> over,
                                                         const consumer_options& options,
                                                         std::function<void()> changed) {
  if (options.protocol == group_protocol::consumer) {
    return std::make_shared<consumer_membership>(std::move(over), options, std::move(changed));
  }
  return std::make_shared<classic_membership>(std::move(over), options, std::move(changed));
}

}  // namespace ringlog::client
