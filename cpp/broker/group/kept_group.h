#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "broker/group/group_records.h"
#include "broker/types.h"

namespace ringlog::broker {

// Where the group coordinator looks up topics. Outlives it; any thread.
class topic_lookup {
 public:
  virtual ~topic_lookup() = default;
  // The id of the topic, when it has that partition.
  virtual std::optional<uuid> find_id(const topic_partition& tp) const = 0;
  virtual std::optional<std::string> find_name(const uuid& id) const = 0;
};

// A group of a protocol that is not served here: consumer (KIP-848), share (KIP-932) or streams
// (KIP-1071). Its records are kept as they are, so that it can be listed, described and deleted,
// and so that Kafka finds it unchanged. Owned by its shard and guarded with it.
class kept_group {
 public:
  explicit kept_group(kept_group_type type) : type_(type) {}

  void put(bytes_view key, bytes_view value);
  void remove(bytes_view key);

  kept_group_type type() const { return type_; }
  bool has_records() const { return !records_.empty(); }
  bool has_members() const;
  std::vector<coordinator_record> tombstones() const;

  std::string_view type_name() const;      // "Consumer", "Share", "Streams"
  std::string_view protocol_type() const;  // "consumer", "share", "streams"
  std::string_view state_name() const { return has_members() ? "Stable" : "Empty"; }

  // Subscription and assignment of a consumer or share group's member are given in the form of the
  // classic protocol. Those of streams groups are left empty: they are tasks, not partitions.
  std::vector<described_member> describe_members(const topic_lookup& topics) const;

 private:
  const kept_group_type type_;
  std::map<byte_buffer, byte_buffer> records_;
};

}  // namespace ringlog::broker
