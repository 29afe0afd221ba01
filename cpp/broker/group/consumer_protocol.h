#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "broker/group/metadata_lookup.h"
#include "broker/types.h"

// Subscriptions and assignments as members of the classic protocol exchange them (Kafka:
// ConsumerProtocol): a version and a message. Later versions only add fields.
namespace ringlog::broker {

struct classic_subscription {
  std::vector<std::string> topics;
  partitions_by_topic owned;  // of topics that there are
  std::optional<std::string> rack;
};

// None: it cannot be read.
std::optional<classic_subscription> read_subscription(bytes_view metadata,
                                                      const metadata_lookup& topics);
byte_buffer write_subscription(const std::vector<std::string>& topics);

struct classic_assignment {
  partitions_by_topic partitions;  // of topics that there are
  bool has_user_data = false;      // an assignor of the user's own may live by it
};

std::optional<classic_assignment> read_assignment(bytes_view assignment,
                                                  const metadata_lookup& topics);

// In the version of the member's subscription, which stands at its beginning.
byte_buffer write_assignment(const partitions_by_topic& partitions, bytes_view subscription,
                             const metadata_lookup& topics);

}  // namespace ringlog::broker
