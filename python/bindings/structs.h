#pragma once

#include "broker/types.h"
#include "client/consumer.h"
#include "python.h"

namespace ringlog::python {

// What the Python package registered: the exception factory and the namedtuples of its structs.
// Never freed: objects outlive the interpreter's module tables.
struct registered_objects {
  py::object make_error;
  py::object topic_partition;
  py::object offset_and_metadata;
  py::object offset_and_timestamp;
  py::object record_metadata;
};
const registered_objects& registered();

// TopicPartition in both directions; any (str, int) tuple is taken.
py::object to_python(const topic_partition& source);
topic_partition to_topic_partition(py::handle value);
std::vector<topic_partition> to_topic_partitions(py::handle values);
py::list to_list(const std::vector<topic_partition>& sources);
py::set to_set(const std::vector<topic_partition>& sources);

// OffsetAndMetadata in both directions; an int is taken as an offset alone.
py::object to_python(const broker::committed_offset& committed);
broker::committed_offset to_committed_offset(py::handle value);
client::partition_offsets to_partition_offsets(py::handle mapping);
py::dict to_dict(const client::partition_offsets& offsets);

broker::config_map to_config_map(py::handle mapping);

}  // namespace ringlog::python
