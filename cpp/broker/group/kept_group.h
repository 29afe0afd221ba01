#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "broker/group/group_records.h"
#include "broker/group/metadata_lookup.h"
#include "broker/types.h"

namespace ringlog::broker {

// A group of a protocol that is not served here: share (KIP-932) or streams (KIP-1071). Its
// records are kept as they are, so that it can be listed, described and deleted, and so that Kafka
// finds it unchanged. Owned by its shard and guarded with it.
class kept_group {
 public:
  explicit kept_group(kept_group_type type) : type_(type) {}

  void put(bytes_view key, bytes_view value);
  void remove(bytes_view key);

  kept_group_type type() const { return type_; }
  bool has_records() const { return !records_.empty(); }
  bool has_members() const;
  std::vector<coordinator_record> tombstones() const;

  std::string_view type_name() const;      // "Share", "Streams"
  std::string_view protocol_type() const;  // "share", "streams"
  std::string_view state_name() const { return has_members() ? "Stable" : "Empty"; }

  // Subscription and assignment of a share group's member are given in the form of the classic
  // protocol. Those of streams groups are left empty: they are tasks, not partitions.
  std::vector<described_member> describe_members(const metadata_lookup& topics) const;

 private:
  const kept_group_type type_;
  std::map<byte_buffer, byte_buffer> records_;
};

}  // namespace ringlog::broker
