#include <pybind11/stl.h>

#include <algorithm>
#include <deque>

#include "base/letter_case.h"
#include "client/wait.h"
#include "lifetime.h"
#include "structs.h"

// The native half of KafkaAdminClient: every call asks the broker's facade and shapes the answer
// as dicts. Failures of single items come back as Kafka error numbers, those of a whole call are
// raised.
namespace ringlog::python {
namespace {

namespace facade = ringlog::broker;

class admin {
 public:
  explicit admin(const py::dict& options)
      : timeout_(option<std::int64_t>(options, "default_api_timeout_ms")),
        over_(open_transport(options)) {}

  void close() { closed_ = true; }

  client::service& broker() const {
    check_not_forked();
    if (closed_) raise_named("ClosedError", "the admin client is closed");
    raise_if_failed(over_->check_usable());
    return over_->broker();
  }

  client::transport& over() const { return *over_; }

  client::wait_limit limit(py::handle timeout_ms = py::none()) const {
    return client::wait_limit::after(
        timeout_ms.is_none() ? timeout_ : milliseconds(timeout_ms.cast<std::int64_t>()),
        &check_signals());
  }

  // Asks and waits without the GIL. The exception of a signal handler is raised; everything else
  // that went wrong is the caller's to shape.
  template <typename T, typename Start>
  result<T> ask(const client::wait_limit& limit, std::string_view what, Start&& start) const {
    client::service& asked = broker();
    auto answer = without_gil([&] {
      return client::ask<T>(*over_, limit, what,
                            [&](auto reply) { start(asked, std::move(reply)); });
    });
    if (is_interrupted(answer)) raise(answer.failure());
    return answer;
  }

  // Asks start(service, thing, reply) for each of the things, many at a time, since each may have
  // to wait for a disk and the way there. The answers in their order.
  template <typename T, typename Thing, typename What, typename Start>
  std::vector<result<T>> ask_each(const client::wait_limit& limit, const std::vector<Thing>& things,
                                  What&& what, Start&& start) const {
    constexpr std::size_t asked_at_once = 64;
    client::service& asked = broker();
    std::vector<result<T>> answers;
    without_gil([&] {
      std::deque<client::kept_answer<T>> under_way;
      std::size_t begun = 0;
      for (const Thing& thing : things) {
        for (; begun < std::min(things.size(), answers.size() + asked_at_once); ++begun) {
          under_way.emplace_back().start(
              [&](auto reply) { start(asked, things[begun], std::move(reply)); });
        }
        auto answer = under_way.front().take(limit, what(thing));
        under_way.pop_front();
        if (!answer.ok()) answer = client::explain(*over_, std::move(answer.failure()));
        answers.push_back(std::move(answer));
        if (is_interrupted(answers.back())) return;
      }
    });
    if (!answers.empty() && is_interrupted(answers.back())) raise(answers.back().failure());
    return answers;
  }

 private:
  template <typename T>
  static bool is_interrupted(const result<T>& answer) {
    return !answer.ok() && answer.code() == error_code::interrupted;
  }

  const milliseconds timeout_;
  const std::shared_ptr<client::transport> over_;
  bool closed_ = false;
};

// ---- shaping -------------------------------------------------------------------------------

template <typename T>
int code_of(const result<T>& outcome) {
  return outcome.ok() ? 0 : kafka_code(outcome.code());
}
template <typename T>
py::object message_of(const result<T>& outcome) {
  return outcome.ok() ? py::object(py::none()) : py::object(text(outcome.failure().message));
}
int code_of(const std::optional<error>& failure) { return failure ? kafka_code(failure->code) : 0; }
py::object text_or_none(const std::optional<std::string>& value) {
  return value ? py::object(text(*value)) : py::object(py::none());
}

py::list node_ids(const std::vector<node_id_t>& nodes) {
  py::list list;
  for (const node_id_t node : nodes) list.append(node.value());
  return list;
}

py::dict shape_topic(const facade::topic_description& topic) {
  py::list partitions;
  for (const auto& partition : topic.partitions) {
    py::dict shaped;
    shaped["error_code"] = 0;
    shaped["partition_index"] = partition.partition.value();
    shaped["leader_id"] = partition.leader.value();
    shaped["leader_epoch"] = partition.leader_epoch.value();
    shaped["replica_nodes"] = node_ids(partition.replicas);
    shaped["isr_nodes"] = node_ids(partition.in_sync_replicas);
    shaped["offline_replicas"] = py::list();
    partitions.append(shaped);
  }
  py::dict shaped;
  shaped["error_code"] = 0;
  shaped["name"] = text(topic.name);
  shaped["topic_id"] = text(topic.id.to_string());
  shaped["is_internal"] = topic.internal;
  shaped["partitions"] = partitions;
  return shaped;
}

py::dict shape_config(const facade::config_entry& entry, bool include_synonyms) {
  py::list synonyms;
  if (include_synonyms) {
    for (const auto& synonym : entry.synonyms) {
      py::dict shaped;
      shaped["name"] = text(synonym.name);
      shaped["value"] = text_or_none(synonym.value);
      shaped["source"] = static_cast<int>(synonym.source);
      synonyms.append(shaped);
    }
  }
  py::dict shaped;
  shaped["name"] = text(entry.name);
  shaped["value"] = text_or_none(entry.value);
  shaped["read_only"] = entry.read_only;
  shaped["config_source"] = static_cast<int>(entry.source);
  shaped["is_sensitive"] = entry.sensitive;
  shaped["synonyms"] = synonyms;
  shaped["config_type"] = static_cast<int>(entry.type);
  return shaped;
}

// ---- topics --------------------------------------------------------------------------------

using topic_descriptions = std::vector<facade::topic_description>;

topic_descriptions look_up(const admin& self, std::optional<std::vector<std::string>> names) {
  static_cast<void>(self.broker());  // raises when it is closed
  return look_up_topics(self.over(), std::move(names), self.limit());
}

py::list list_topics(const admin& self) {
  py::list names;
  for (const auto& topic : look_up(self, std::nullopt)) names.append(text(topic.name));
  return names;
}

py::list describe_topics(const admin& self, const py::object& names) {
  py::list shaped_topics;
  if (names.is_none()) {
    for (const auto& topic : look_up(self, std::nullopt)) shaped_topics.append(shape_topic(topic));
    return shaped_topics;
  }
  // What is no topic's name may be an id; those are found among all.
  const auto wanted_names = names.cast<std::vector<std::string>>();
  topic_descriptions known = look_up(self, wanted_names);
  if (known.size() < wanted_names.size() &&
      std::ranges::any_of(wanted_names, [](const auto& name) { return uuid::parse(name).ok(); })) {
    known = look_up(self, std::nullopt);
  }
  for (const std::string& name : wanted_names) {
    const auto by_id = uuid::parse(name);
    auto found = std::ranges::find(known, name, &facade::topic_description::name);
    if (found == known.end() && by_id.ok()) {
      found = std::ranges::find(known, *by_id, &facade::topic_description::id);
    }
    if (found != known.end()) {
      shaped_topics.append(shape_topic(*found));
      continue;
    }
    py::dict missing;
    missing["error_code"] = kafka_code(error_code::unknown_topic_or_partition);
    missing["name"] = text(name);
    missing["topic_id"] = text(uuid{}.to_string());
    missing["is_internal"] = false;
    missing["partitions"] = py::list();
    shaped_topics.append(missing);
  }
  return shaped_topics;
}

py::dict describe_cluster(const admin& self) {
  const auto cluster = value_or_raise(self.ask<client::described_cluster>(
      self.limit(), "describing the cluster",
      [](auto& broker, auto reply) { broker.look_up_cluster(std::move(reply)); }));
  py::list brokers;
  for (const client::cluster_node& each : cluster.nodes) {
    py::dict node;
    node["broker_id"] = each.id.value();
    node["host"] = text(each.host);
    node["port"] = each.port;
    node["rack"] = text_or_none(each.rack);
    brokers.append(node);
  }
  py::dict shaped;
  shaped["cluster_id"] = text(cluster.cluster_id);
  shaped["controller_id"] = cluster.controller.value();
  shaped["brokers"] = brokers;
  return shaped;
}

// {partition: [nodes]} with partitions 0..n-1 -> replicas by partition.
std::vector<std::vector<node_id_t>> read_assignment(py::handle given) {
  std::vector<std::vector<node_id_t>> assignment;
  if (given.is_none()) return assignment;
  const auto replicas = given.cast<std::map<std::int32_t, std::vector<std::int32_t>>>();
  for (const auto& [partition, nodes] : replicas) {
    if (partition != static_cast<std::int32_t>(assignment.size())) {
      raise_named("InvalidArgumentValueError",
                  "replica assignments must number the partitions from 0 without a gap");
    }
    auto& ids = assignment.emplace_back();
    for (const std::int32_t node : nodes) ids.emplace_back(node);
  }
  return assignment;
}

py::list create_topics(const admin& self, const py::list& topics, const py::object& timeout_ms,
                       bool validate_only) {
  std::vector<facade::new_topic> wanted;
  for (const py::handle item : topics) {
    const auto given = item.cast<py::tuple>();
    facade::new_topic& topic = wanted.emplace_back();
    topic.name = given[0].cast<std::string>();
    topic.partitions = given[1].cast<std::int32_t>();
    topic.replication_factor = given[2].cast<std::int16_t>();
    topic.assignment = read_assignment(given[3]);
    topic.configs = to_config_map(given[4]);
  }
  const auto created = self.ask_each<facade::created_topic>(
      self.limit(timeout_ms), wanted,
      [](const facade::new_topic& topic) { return "creating topic " + topic.name; },
      [&](auto& broker, const facade::new_topic& topic, auto reply) {
        broker.create_topic(topic, validate_only, std::move(reply));
      });
  py::list answers;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const facade::new_topic& topic = wanted[i];
    const auto& made = created[i];
    py::dict shaped;
    shaped["name"] = text(topic.name);
    shaped["topic_id"] = text(made.ok() ? made->id.to_string() : uuid{}.to_string());
    shaped["error_code"] = code_of(made);
    shaped["error_message"] = message_of(made);
    shaped["num_partitions"] = made.ok() ? made->partitions : -1;
    shaped["replication_factor"] = made.ok() ? static_cast<int>(made->replication_factor) : -1;
    py::dict shown;
    for (const auto& [name, value] : topic.configs) shown[text(name)] = text(value);
    shaped["configs"] = shown;
    answers.append(shaped);
    if (!made.ok()) continue;
    for (const std::string& warning : made->warnings) {
      if (PyErr_WarnEx(PyExc_UserWarning, warning.c_str(), 2) != 0) throw py::error_already_set();
    }
  }
  return answers;
}

py::list delete_topics(const admin& self, const py::list& names, const py::object& timeout_ms) {
  const auto wanted = names.cast<std::vector<std::string>>();
  const auto deleted = self.ask_each<uuid>(
      self.limit(timeout_ms), wanted,
      [](const std::string& name) { return "deleting topic " + name; },
      [](auto& broker, const std::string& name, auto reply) {
        broker.delete_topic(name, std::move(reply));
      });
  py::list answers;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& gone = deleted[i];
    py::dict shaped;
    shaped["name"] = text(wanted[i]);
    shaped["topic_id"] = text(gone.ok() ? gone->to_string() : uuid{}.to_string());
    shaped["error_code"] = code_of(gone);
    shaped["error_message"] = message_of(gone);
    answers.append(shaped);
  }
  return answers;
}

py::list create_partitions(const admin& self, const py::list& topics, const py::object& timeout_ms,
                           bool validate_only) {
  std::vector<std::pair<std::string, std::int32_t>> wanted;  // with the new total
  for (const py::handle item : topics) {
    const auto given = item.cast<py::tuple>();
    wanted.emplace_back(given[0].cast<std::string>(), given[1].cast<std::int32_t>());
  }
  const auto grown = self.ask_each<std::int32_t>(
      self.limit(timeout_ms), wanted,
      [](const auto& topic) { return "adding partitions to " + topic.first; },
      [&](auto& broker, const auto& topic, auto reply) {
        broker.create_partitions(topic.first, topic.second, validate_only, std::move(reply));
      });
  py::list answers;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& made = grown[i];
    py::dict shaped;
    shaped["name"] = text(wanted[i].first);
    shaped["error_code"] = code_of(made);
    shaped["error_message"] = message_of(made);
    answers.append(shaped);
  }
  return answers;
}

// ---- records and offsets -------------------------------------------------------------------

py::dict delete_records(const admin& self, const py::dict& offsets, const py::object& timeout_ms) {
  std::vector<std::pair<topic_partition, offset_t>> wanted;
  for (const auto& [source, offset] : offsets) {
    wanted.emplace_back(to_topic_partition(source), offset.cast<std::int64_t>());
  }
  const auto deleted = self.ask_each<offset_t>(
      self.limit(timeout_ms), wanted,
      [](const auto& one) { return "deleting records of " + one.first.to_string(); },
      [](auto& broker, const auto& one, auto reply) {
        broker.delete_records(one.first, one.second, std::move(reply));
      });
  py::dict answers;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& low = deleted[i];
    py::dict shaped;
    shaped["low_watermark"] = low.ok() ? low->value() : -1;
    shaped["error_code"] = code_of(low);
    answers[to_python(wanted[i].first)] = shaped;
  }
  return answers;
}

py::dict list_offsets(const admin& self, const py::dict& asked, int isolation) {
  std::vector<facade::list_offset_request> wanted;
  for (const auto& [source, timestamp] : asked) {
    facade::list_offset_request& request = wanted.emplace_back();
    request.source = to_topic_partition(source);
    request.timestamp = timestamp.cast<std::int64_t>();
    request.isolation = static_cast<isolation_level>(isolation);
  }
  const auto listed = self.ask_each<facade::listed_offset>(
      self.limit(), wanted,
      [](const auto& request) {
        return "the look-up of an offset of " + request.source.to_string();
      },
      [](auto& broker, const auto& request, auto reply) {
        broker.list_offset(request, std::move(reply));
      });
  py::dict answers;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& found = listed[i];
    const facade::listed_offset none;
    const facade::listed_offset& shown = found.ok() ? *found : none;
    answers[to_python(wanted[i].source)] = py::make_tuple(
        shown.offset.value(), shown.timestamp, shown.leader_epoch.value(), code_of(found));
  }
  return answers;
}

// ---- configs -------------------------------------------------------------------------------

py::list describe_configs(const admin& self, const py::list& resources, bool include_synonyms) {
  py::list answers;
  const auto limit = self.limit();
  for (const py::handle item : resources) {
    const auto given = item.cast<py::tuple>();
    const facade::config_resource resource{static_cast<facade::resource_type>(given[0].cast<int>()),
                                           given[1].cast<std::string>()};
    const auto entries = self.ask<std::vector<facade::config_entry>>(
        limit, "describing configs of " + resource.name,
        [&](auto& broker, auto reply) { broker.look_up_configs(resource, std::move(reply)); });
    py::list configs;
    for (const auto& entry : entries.ok() ? *entries : std::vector<facade::config_entry>{}) {
      if (!given[2].is_none() && !given[2].contains(text(entry.name))) continue;
      configs.append(shape_config(entry, include_synonyms));
    }
    py::dict shaped;
    shaped["error_code"] = code_of(entries);
    shaped["error_message"] = message_of(entries);
    shaped["resource_type"] = given[0];
    shaped["resource_name"] = given[1];
    shaped["configs"] = configs;
    answers.append(shaped);
  }
  return answers;
}

py::list alter_configs(const admin& self, const py::list& resources, bool validate_only) {
  py::list answers;
  const auto limit = self.limit();
  for (const py::handle item : resources) {
    const auto given = item.cast<py::tuple>();
    const facade::config_resource resource{static_cast<facade::resource_type>(given[0].cast<int>()),
                                           given[1].cast<std::string>()};
    std::vector<facade::config_alteration> changes;
    for (const py::handle change : given[2]) {
      const auto fields = change.cast<py::tuple>();
      facade::config_alteration alteration{
          fields[0].cast<std::string>(), std::nullopt,
          static_cast<facade::alter_operation>(fields[1].cast<int>())};
      if (!fields[2].is_none()) alteration.value = fields[2].cast<std::string>();
      changes.push_back(std::move(alteration));
    }
    const auto done = self.ask<std::monostate>(
        limit, "changing configs of " + resource.name, [&](auto& broker, auto reply) {
          broker.alter_configs(resource, changes, validate_only, std::move(reply));
        });
    py::dict shaped;
    shaped["error_code"] = code_of(done);
    shaped["error_message"] = message_of(done);
    shaped["resource_type"] = given[0];
    shaped["resource_name"] = given[1];
    answers.append(shaped);
  }
  return answers;
}

// ---- groups --------------------------------------------------------------------------------

bool allowed(const std::vector<std::string>& filter, const std::string& value) {
  if (filter.empty()) return true;
  return std::any_of(filter.begin(), filter.end(), [&](const std::string& each) {
    return lower_case(each) == lower_case(value);
  });
}

py::list list_groups(const admin& self, const std::vector<std::string>& states,
                     const std::vector<std::string>& types) {
  const auto groups = value_or_raise(self.ask<std::vector<facade::listed_group>>(
      self.limit(), "listing groups",
      [](auto& broker, auto reply) { broker.list_groups(std::move(reply)); }));
  py::list answers;
  for (const auto& group : groups) {
    if (!allowed(states, group.state) || !allowed(types, group.type)) continue;
    py::dict shaped;
    shaped["group_id"] = text(group.group);
    shaped["protocol_type"] = text(group.protocol_type);
    shaped["group_state"] = text(group.state);
    shaped["group_type"] = text(group.type);
    answers.append(shaped);
  }
  return answers;
}

py::list shape_members(const std::vector<facade::described_member>& members) {
  py::list shaped_members;
  for (const auto& member : members) {
    py::dict shaped;
    shaped["member_id"] = text(member.member);
    shaped["group_instance_id"] = text_or_none(member.instance);
    shaped["client_id"] = text(member.client_id);
    shaped["client_host"] = text(member.client_host);
    shaped["member_metadata"] = bytes_or_none(bytes_view(member.metadata));
    shaped["member_assignment"] = bytes_or_none(bytes_view(member.assignment));
    shaped_members.append(shaped);
  }
  return shaped_members;
}

py::list describe_groups(const admin& self, const py::list& names) {
  py::list answers;
  const auto limit = self.limit();
  for (const py::handle name : names) {
    const auto wanted = name.cast<std::string>();
    const auto found = self.ask<facade::described_group>(
        limit, "describing group " + wanted,
        [&](auto& broker, auto reply) { broker.describe_group(wanted, std::move(reply)); });
    facade::described_group missing;
    missing.state = "Dead";
    const facade::described_group& group = found.ok() ? *found : missing;
    py::dict shaped;
    shaped["error_code"] = code_of(found);
    shaped["error_message"] = message_of(found);
    shaped["group_id"] = name;
    shaped["group_state"] = text(group.state);
    shaped["protocol_type"] = text(group.protocol_type);
    shaped["protocol_data"] = text(group.protocol);
    shaped["members"] = shape_members(group.members);
    answers.append(shaped);
  }
  return answers;
}

py::list delete_groups(const admin& self, const py::list& names) {
  py::list answers;
  const auto limit = self.limit();
  for (const py::handle name : names) {
    const auto wanted = name.cast<std::string>();
    const auto gone = self.ask<std::monostate>(
        limit, "deleting group " + wanted,
        [&](auto& broker, auto reply) { broker.delete_group(wanted, std::move(reply)); });
    answers.append(py::make_tuple(name, code_of(gone)));
  }
  return answers;
}

py::dict list_group_offsets(const admin& self, const std::string& group,
                            const py::object& partitions) {
  facade::offset_fetch_request request;
  request.group = group;
  if (!partitions.is_none()) request.partitions = to_topic_partitions(partitions);
  const auto found = value_or_raise(self.ask<facade::fetched_offsets>(
      self.limit(), "the offsets of group " + group,
      [&](auto& broker, auto reply) { broker.fetch_offsets(request, std::move(reply)); }));
  py::dict answers;
  for (const auto& [source, committed] : found) {
    const facade::committed_offset shown = committed.value_or(facade::committed_offset{});
    answers[to_python(source)] =
        py::make_tuple(shown.offset.value(), text(shown.metadata), shown.leader_epoch.value(), 0);
  }
  return answers;
}

py::dict shape_failures(const facade::partition_failures& failures) {
  py::dict answers;
  for (const auto& [source, failure] : failures) answers[to_python(source)] = code_of(failure);
  return answers;
}

py::dict alter_group_offsets(const admin& self, const std::string& group, const py::dict& offsets) {
  facade::offset_commit_request request;
  request.from.group = group;
  for (const auto& [source, committed] : to_partition_offsets(offsets)) {
    request.offsets.emplace_back(source, committed);
  }
  const auto outcome = self.ask<facade::partition_failures>(
      self.limit(), "changing offsets of group " + group,
      [&](auto& broker, auto reply) { broker.commit_offsets(request, std::move(reply)); });
  if (outcome.ok()) return shape_failures(*outcome);
  py::dict refused;
  for (const auto& [source, committed] : request.offsets) {
    refused[to_python(source)] = kafka_code(outcome.code());
  }
  return refused;
}

py::dict delete_group_offsets(const admin& self, const std::string& group,
                              const py::list& partitions) {
  const auto sources = to_topic_partitions(partitions);
  return shape_failures(value_or_raise(self.ask<facade::partition_failures>(
      self.limit(), "deleting offsets of group " + group,
      [&](auto& broker, auto reply) { broker.delete_offsets(group, sources, std::move(reply)); })));
}

py::list remove_group_members(const admin& self, const std::string& group, const py::list& members,
                              const std::string& reason) {
  std::vector<facade::leaving_member> leaving;
  for (const py::handle item : members) {
    const auto given = item.cast<py::tuple>();
    auto& member = leaving.emplace_back();
    member.member = given[0].cast<std::string>();
    if (!given[1].is_none()) member.instance = given[1].cast<std::string>();
    member.reason = reason;
  }
  const auto left = value_or_raise(self.ask<std::vector<std::optional<error>>>(
      self.limit(), "removing members of group " + group,
      [&](auto& broker, auto reply) { broker.leave_group(group, leaving, std::move(reply)); }));
  py::list answers;
  for (std::size_t i = 0; i < leaving.size() && i < left.size(); ++i) {
    answers.append(py::make_tuple(text(leaving[i].member), text_or_none(leaving[i].instance),
                                  code_of(left[i])));
  }
  return answers;
}

}  // namespace

void register_admin(py::module_& module) {
  py::class_<admin>(module, "Admin", "The native half of KafkaAdminClient.")
      .def(py::init<const py::dict&>(), py::arg("options"))
      .def("close", &admin::close)
      .def("list_topics", &list_topics)
      .def("describe_topics", &describe_topics)
      .def("describe_cluster", &describe_cluster)
      .def("create_topics", &create_topics)
      .def("delete_topics", &delete_topics)
      .def("create_partitions", &create_partitions)
      .def("delete_records", &delete_records)
      .def("list_offsets", &list_offsets)
      .def("describe_configs", &describe_configs)
      .def("alter_configs", &alter_configs)
      .def("list_groups", &list_groups)
      .def("describe_groups", &describe_groups)
      .def("delete_groups", &delete_groups)
      .def("list_group_offsets", &list_group_offsets)
      .def("alter_group_offsets", &alter_group_offsets)
      .def("delete_group_offsets", &delete_group_offsets)
      .def("remove_group_members", &remove_group_members);
}

}  // namespace ringlog::python
