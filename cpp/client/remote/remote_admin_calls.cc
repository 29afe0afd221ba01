// Client quotas and log directories.

#include <algorithm>

#include "client/remote/remote_service.h"
#include "protocol/wire/cluster/describe_log_dirs.h"
#include "protocol/wire/config/alter_client_quotas.h"
#include "protocol/wire/config/describe_client_quotas.h"

namespace ringlog::client::remote {
namespace {

using namespace protocol;
using quotas = std::vector<broker::client_quota>;
using directories = std::vector<described_log_directory>;
using outcomes = std::vector<std::optional<error>>;

template <typename Components>
broker::quota_entity to_entity(const Components& components) {
  broker::quota_entity entity;
  for (const auto& each : components) {
    std::optional<std::string> name;
    if (each.entity_name) name = std::string(*each.entity_name);
    entity.emplace_back(std::string(each.entity_type), std::move(name));
  }
  return entity;
}

void put(const broker::client_quota_alteration& wanted, alter_client_quotas_request& out) {
  auto& entry = out.entries.emplace_back();
  for (const auto& [type, name] : wanted.entity) {
    auto& component = entry.entity.emplace_back();
    component.entity_type = type;
    component.entity_name.reset();
    if (name) component.entity_name = *name;
  }
  for (const auto& [key, value] : wanted.changes) {
    auto& operation = entry.ops.emplace_back();
    operation.key = key;
    operation.value = value.value_or(0);
    operation.remove = !value;
  }
}

std::optional<std::int64_t> if_told(std::int64_t bytes) {
  return bytes < 0 ? std::nullopt : std::optional(bytes);
}

described_log_directory to_directory(const describe_log_dirs_response::result& from) {
  described_log_directory found;
  found.path = from.log_dir;
  if (const status usable = check_code(from.error_code); !usable.ok()) {
    found.failure = usable.failure().message;
  }
  for (const auto& topic : from.topics) {
    for (const auto& each : topic.partitions) {
      found.partitions.push_back({{std::string(topic.name), partition_id_t(each.partition_index)},
                                  each.partition_size,
                                  each.offset_lag,
                                  each.is_future_key});
    }
  }
  found.total_bytes = if_told(from.total_bytes);
  found.usable_bytes = if_told(from.usable_bytes);
  return found;
}

}  // namespace

void remote_service::look_up_client_quotas(broker::client_quota_filter filter, reply<quotas> done) {
  call_plan<describe_client_quotas_request, describe_client_quotas_response, quotas> plan;
  plan.by = route::any();
  plan.what = "DescribeClientQuotas";
  plan.fill = [filter = std::move(filter)](describe_client_quotas_request& out, std::int16_t) {
    out.strict = filter.strict;
    for (const broker::quota_filter_component& each : filter.components) {
      auto& component = out.components.emplace_back();
      component.entity_type = each.entity_type;
      component.match_type = static_cast<std::int8_t>(each.match);
      component.match.reset();
      if (each.name) component.match = *each.name;
    }
  };
  plan.take = [](describe_client_quotas_response& answer, const wire_answer&) -> result<quotas> {
    TRY(check_code(answer.error_code, answer.error_message));
    quotas found;
    if (!answer.entries) return found;
    for (const auto& entry : *answer.entries) {
      broker::client_quota& quota = found.emplace_back();
      quota.entity = to_entity(entry.entity);
      for (const auto& each : entry.values) quota.values[std::string(each.key)] = each.value;
    }
    return found;
  };
  call(std::move(plan), std::move(done));
}

void remote_service::alter_client_quotas(std::vector<broker::client_quota_alteration> wanted,
                                         bool validate_only, reply<outcomes> done) {
  call_plan<alter_client_quotas_request, alter_client_quotas_response, outcomes> plan;
  plan.by = route::controller();
  plan.what = "AlterClientQuotas";
  plan.take = [wanted](alter_client_quotas_response& answer,
                       const wire_answer&) -> result<outcomes> {
    outcomes found(wanted.size(), error{error_code::internal, "the broker's answer lacks it"});
    for (const auto& entry : answer.entries) {
      const auto place = std::ranges::find(wanted, to_entity(entry.entity),
                                           &broker::client_quota_alteration::entity);
      if (place == wanted.end()) continue;
      auto& outcome = found[static_cast<std::size_t>(place - wanted.begin())];
      status said = check_code(entry.error_code, entry.error_message);
      outcome.reset();
      if (!said.ok()) outcome = std::move(said.failure());
    }
    return found;
  };
  plan.fill = [wanted = std::move(wanted), validate_only](alter_client_quotas_request& out,
                                                          std::int16_t) {
    out.validate_only = validate_only;
    for (const broker::client_quota_alteration& each : wanted) put(each, out);
  };
  call(std::move(plan), std::move(done));
}

void remote_service::look_up_log_directories(node_id_t node, reply<directories> done) {
  call_plan<describe_log_dirs_request, describe_log_dirs_response, directories> plan;
  plan.by = route::to_node(node);
  plan.what = "DescribeLogDirs";
  plan.fill = [](describe_log_dirs_request& out, std::int16_t) { out.topics.reset(); };
  plan.take = [](describe_log_dirs_response& answer, const wire_answer&) -> result<directories> {
    TRY(check_code(answer.error_code));
    directories found;
    for (const auto& each : answer.results) found.push_back(to_directory(each));
    return found;
  };
  call(std::move(plan), std::move(done));
}

}  // namespace ringlog::client::remote
