#pragma once

#include "client/fetched_batches.h"
#include "python.h"

namespace ringlog::python {

// What the records of one batch share: the batch's bytes and the Python objects that are the same
// for all of them. Counted by hand, under the GIL; a record keeps its batch alive.
struct batch_context {
  std::shared_ptr<client::fetched_batch> batch;
  py::object topic;
  py::object partition;
  py::object source;  // the TopicPartition
  py::object leader_epoch;
  py::object timestamp_type;
  Py_ssize_t references = 1;

  void retain() { ++references; }
  void release() {
    if (--references == 0) delete this;
  }
};

// kafka-python's ConsumerRecord: behaves as the namedtuple of its 13 fields, which are made when
// they are looked at. Key and value are bytes of the batch until asked for, or what a
// deserializer made of them.
//
// Returns a new reference, or nullptr with an exception set. `key` and `value` (stolen) are
// deserialized objects, or nullptr for lazy bytes.
PyObject* make_record(batch_context* context, const model::record_view& record, PyObject* key,
                      PyObject* value);

// Headers as consumers see them: a list of (str, bytes or None).
py::list headers_to_list(const model::record_view& record);

}  // namespace ringlog::python
