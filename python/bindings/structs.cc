#include "structs.h"

namespace ringlog::python {
namespace {

registered_objects* objects = nullptr;

}  // namespace

const registered_objects& registered() {
  if (objects == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "ringlog._native is used before ringlog was imported");
    throw py::error_already_set();
  }
  return *objects;
}

py::object to_python(const topic_partition& source) {
  return registered().topic_partition(text(source.topic), source.partition.value());
}

topic_partition to_topic_partition(py::handle value) {
  if (!py::isinstance<py::tuple>(value) || py::len(value) != 2 ||
      !py::isinstance<py::str>(value[py::int_(0)]) || !PyLong_Check(value[py::int_(1)].ptr())) {
    raise_named("InvalidArgumentTypeError",
                "expected a TopicPartition, got " + py::repr(value).cast<std::string>());
  }
  return {value[py::int_(0)].cast<std::string>(),
          partition_id_t(value[py::int_(1)].cast<std::int32_t>())};
}

std::vector<topic_partition> to_topic_partitions(py::handle values) {
  std::vector<topic_partition> sources;
  for (const py::handle value : values) sources.push_back(to_topic_partition(value));
  return sources;
}

py::list to_list(const std::vector<topic_partition>& sources) {
  py::list list;
  for (const topic_partition& source : sources) list.append(to_python(source));
  return list;
}

py::set to_set(const std::vector<topic_partition>& sources) {
  py::set set;
  for (const topic_partition& source : sources) set.add(to_python(source));
  return set;
}

py::object to_python(const broker::committed_offset& committed) {
  return registered().offset_and_metadata(committed.offset.value(), text(committed.metadata),
                                          committed.leader_epoch.value());
}

broker::committed_offset to_committed_offset(py::handle value) {
  broker::committed_offset committed;
  if (PyLong_Check(value.ptr())) {
    committed.offset = offset_t(value.cast<std::int64_t>());
    return committed;
  }
  const auto fields = value.cast<py::tuple>();
  if (fields.empty()) raise_named("InvalidArgumentTypeError", "expected an OffsetAndMetadata");
  committed.offset = offset_t(fields[0].cast<std::int64_t>());
  if (fields.size() > 1 && !fields[1].is_none()) committed.metadata = fields[1].cast<std::string>();
  if (fields.size() > 2 && !fields[2].is_none()) {
    committed.leader_epoch = leader_epoch_t(fields[2].cast<std::int32_t>());
  }
  return committed;
}

client::partition_offsets to_partition_offsets(py::handle mapping) {
  client::partition_offsets offsets;
  for (const auto& [source, committed] : mapping.cast<py::dict>()) {
    offsets[to_topic_partition(source)] = to_committed_offset(committed);
  }
  return offsets;
}

py::dict to_dict(const client::partition_offsets& offsets) {
  py::dict dict;
  for (const auto& [source, committed] : offsets) dict[to_python(source)] = to_python(committed);
  return dict;
}

broker::config_map to_config_map(py::handle mapping) {
  broker::config_map configs;
  for (const auto& [name, value] : mapping.cast<py::dict>()) {
    configs[name.cast<std::string>()] = value.cast<std::string>();
  }
  return configs;
}

void register_structs(py::module_& module) {
  module.def(
      "register",
      [](py::object make_error, py::object topic_partition, py::object offset_and_metadata,
         py::object offset_and_timestamp, py::object record_metadata) {
        if (objects == nullptr) objects = new registered_objects;
        *objects = {std::move(make_error), std::move(topic_partition),
                    std::move(offset_and_metadata), std::move(offset_and_timestamp),
                    std::move(record_metadata)};
      },
      py::kw_only(), py::arg("make_error"), py::arg("topic_partition"),
      py::arg("offset_and_metadata"), py::arg("offset_and_timestamp"), py::arg("record_metadata"));
}

}  // namespace ringlog::python
