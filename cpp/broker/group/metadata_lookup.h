#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "model/types.h"

namespace ringlog::broker {

struct topic_shape {
  uuid id;
  std::int32_t partition_count = 0;
};

// What the group coordinator looks up in the metadata. Outlives it; any thread.
class metadata_lookup {
 public:
  virtual ~metadata_lookup() = default;

  // The id of the topic, when it has that partition.
  virtual std::optional<uuid> find_id(const topic_partition& tp) const = 0;
  virtual std::optional<std::string> find_name(const uuid& id) const = 0;
  virtual std::optional<topic_shape> find_shape(const std::string& topic) const = 0;
  virtual std::vector<std::string> topic_names() const = 0;

  // Another number whenever any of these answers may be another one; never 0.
  virtual std::uint64_t version() const = 0;

  // What was set on the group as a resource with configs of its own (KIP-848).
  virtual std::optional<std::int64_t> find_group_config(const std::string& group,
                                                        const std::string& name) const = 0;
};

}  // namespace ringlog::broker
