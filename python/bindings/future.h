#pragma once

#include "client/producer.h"
#include "python.h"

namespace ringlog::python {

// What a future needs to know of its record besides the batch.
struct record_sizes {
  std::int32_t key = -1;  // -1: null
  std::int32_t value = -1;
  std::int32_t headers = -1;
};

// kafka-python's FutureRecordMetadata: a handle on one record of a batch. The outcome is kept once
// per batch; RecordMetadata is made when somebody looks. Returns a new reference, or nullptr with
// an exception set.
PyObject* make_future(client::sent_record&& sent, PyObject* topic, const record_sizes& sizes);

}  // namespace ringlog::python
