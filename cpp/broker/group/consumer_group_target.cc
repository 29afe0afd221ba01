#include <xxhash.h>

#include <algorithm>

#include "base/endian.h"
#include "broker/group/consumer_group.h"
#include "broker/group/reconciliation.h"
#include "broker/group/topic_expression.h"

// From the subscriptions to a target for all, and a member's way to it.
namespace ringlog::broker {

namespace {

// Kafka's groups are made at 1, and the first member raises that.
constexpr std::int32_t made_at_epoch = 1;

// XXH3 over little-endian fields, strings as UTF-16 with their length behind them (hash4j, which
// Kafka uses). Equal hashes spare groups a rebalance when Kafka takes a directory over.
class hash_stream {
 public:
  void put_byte(std::uint8_t value) { bytes_.push_back(std::byte{value}); }
  template <typename Integer>
  void put(Integer value) {
    for (std::size_t i = 0; i < sizeof(value); ++i) {
      put_byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }
  // Topic names are ASCII.
  void put_text(std::string_view text) {
    for (const char c : text) put(static_cast<std::uint16_t>(static_cast<unsigned char>(c)));
    put(static_cast<std::uint32_t>(text.size()));
  }
  std::uint64_t value() const { return XXH3_64bits(bytes_.data(), bytes_.size()); }

 private:
  byte_buffer bytes_;
};

// No racks: one node.
std::uint64_t hash_of(const std::string& topic, const topic_shape& shape) {
  hash_stream hash;
  hash.put_byte(0);
  hash.put(load_be<std::uint64_t>(shape.id.bytes.data()));
  hash.put(load_be<std::uint64_t>(shape.id.bytes.data() + 8));
  hash.put_text(topic);
  hash.put(static_cast<std::uint32_t>(shape.partition_count));
  for (std::int32_t partition = 0; partition < shape.partition_count; ++partition) {
    hash.put(static_cast<std::uint32_t>(partition));
  }
  return hash.value();
}

}  // namespace

std::int64_t consumer_group::config_ms(const std::string& name, std::int64_t otherwise) const {
  return outside_.metadata.find_group_config(id_, name).value_or(otherwise);
}

// Looks up what the members' expressions match when one is new, topics have changed, or the last
// look-up is old. True when any matches other topics than before.
bool consumer_group::resolve_expressions() {
  drop_unused_expressions();
  std::set<std::string> used;
  for (const auto& [id, member] : members_) {
    if (member.expression) used.insert(*member.expression);
  }
  if (used.empty()) return false;
  const std::uint64_t version = outside_.metadata.version();
  const bool all_known = std::ranges::all_of(
      used, [&](const std::string& text) { return expressions_.contains(text); });
  const milliseconds refresh(outside_.settings.consumer_expression_refresh_ms);
  if (all_known && version == resolved_version_ && outside_.time.now() < resolved_at_ + refresh) {
    return false;
  }
  const std::vector<std::string> names = outside_.metadata.topic_names();
  bool changed = false;
  for (const std::string& text : used) {
    const auto expression = topic_expression::parse(text);
    resolved_expression resolved;
    resolved.version = static_cast<std::int64_t>(version);
    resolved.timestamp = outside_.time.wall_ms();
    if (expression.ok()) {  // else Kafka's syntax had something that ours has not
      std::ranges::copy_if(names, std::inserter(resolved.topics, resolved.topics.end()),
                           [&](const std::string& name) { return expression->matches(name); });
    }
    const auto known = expressions_.find(text);
    if (known != expressions_.end() && known->second.topics == resolved.topics) continue;
    changed |= known != expressions_.end() || !resolved.topics.empty();
    emit(expression_record(id_, text, resolved));
  }
  resolved_version_ = version;
  resolved_at_ = outside_.time.now();
  return changed;
}

std::int64_t consumer_group::metadata_hash() const {
  std::set<std::string> topics;
  for (const auto& [id, member] : members_) topics.merge(topics_of(member));
  hash_stream all;
  bool any = false;
  for (const std::string& topic : topics) {
    const auto shape = outside_.metadata.find_shape(topic);
    if (!shape) continue;
    all.put(hash_of(topic, *shape));
    any = true;
  }
  return any ? static_cast<std::int64_t>(all.value()) : 0;
}

void consumer_group::raise_epoch_if(bool changed) {
  const std::uint64_t version = outside_.metadata.version();
  const bool is_new = epoch_ == 0;
  if (!changed && !is_new && version == hashed_version_) return;
  hashed_version_ = version;
  const std::int64_t hash = metadata_hash();
  if (!changed && !is_new && hash == metadata_hash_) return;
  emit(to_record(id_, stored_consumer_group{(is_new ? made_at_epoch : epoch_) + 1, hash}));
  if (has_topics_record_) emit(consumer_tombstone(record_types::consumer_group_topics, id_));
}

assignor_input consumer_group::assignor_input_now() const {
  assignor_input input;
  for (const auto& [id, member] : members_) {
    assignor_member& target = input.members.emplace_back();
    target.id = id;
    target.instance = member.instance;
    for (const std::string& topic : topics_of(member)) {
      const auto shape = outside_.metadata.find_shape(topic);
      if (!shape) continue;
      target.topics.insert(shape->id);
      input.partition_counts[shape->id] = shape->partition_count;
    }
    const auto found = targets_.find(id);
    if (found != targets_.end()) target.target = found->second;
  }
  return input;
}

// At most once in an interval: members that join together share a target (KIP-1263).
void consumer_group::make_target() {
  if (target_.epoch >= epoch_) return;
  const std::int64_t now = outside_.time.wall_ms();
  const std::int64_t interval_ms = config_ms("consumer.assignment.interval.ms",
                                             outside_.settings.consumer_assignment_interval_ms);
  if (target_.timestamp != 0 && now >= target_.timestamp && now - target_.timestamp < interval_ms) {
    return;
  }
  assignor assign = find_assignor(preferred_assignor());
  if (assign == nullptr) assign = assign_uniform;  // one that another Kafka had
  group_assignment made = assign(assignor_input_now());
  for (const auto& [id, member] : members_) {
    const auto before = targets_.find(id);
    partitions_by_topic& target = made[id];
    if (before != targets_.end() && before->second == target) continue;
    emit(member_target_record(id_, id, target));
  }
  emit(to_record(id_, stored_consumer_target{epoch_, now}));
}

void consumer_group::reconcile_member(const std::string& id, bool subscription_changed,
                                      const std::optional<partitions_by_topic>& owned) {
  const consumer_member& now = members_.at(id);
  if (now.is_reconciled_to(target_.epoch) && !subscription_changed) return;
  reconciliation inputs;
  inputs.target_epoch = target_.epoch;
  const auto target = targets_.find(id);
  if (target != targets_.end()) inputs.target = target->second;
  for (const std::string& topic : topics_of(now)) {
    const auto shape = outside_.metadata.find_shape(topic);
    if (shape) inputs.subscribed.insert(shape->id);
  }
  inputs.subscription_changed = subscription_changed;
  inputs.owned = owned;
  inputs.is_free = [&](const uuid& topic, std::int32_t partition) {
    return !owners_.contains({topic, partition});
  };
  const consumer_member next = reconcile(now, inputs);
  if (next == now) return;
  emit(member_assignment_record(id_, next));
  auto& revocation_end = timers_[id].revocation_end;
  revocation_end.reset();
  // Classic members give back by joining again, for which they have a time of their own.
  if (next.state == consumer_member_state::unrevoked && !next.is_classic()) {
    revocation_end = after_ms(next.rebalance_timeout_ms);
  }
}

}  // namespace ringlog::broker
