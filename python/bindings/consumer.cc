#include "client/consumer.h"

#include <map>

#include "callbacks.h"
#include "consumer_object.h"
#include "lifetime.h"
#include "record.h"
#include "structs.h"

// The native half of KafkaConsumer: poll and iteration as plain C API, the rest by pybind11's
// conversions. Arguments were checked by the Python half.
namespace ringlog::python {
namespace {

PyTypeObject* consumer_type = nullptr;

milliseconds api_timeout(const consumer_state& state, py::handle given) {
  return milliseconds(given.is_none() ? state.options.default_api_timeout_ms
                                      : given.cast<std::int64_t>());
}

client::wait_limit limit_of(const consumer_state& state, py::handle timeout_ms) {
  return client::wait_limit::after(api_timeout(state, timeout_ms), &check_signals());
}

// Runs a call of the core without the GIL and raises its failure.
template <typename Call>
auto call_core(consumer_state& state, Call&& call) {
  const entered inside(state);
  auto outcome = without_gil([&] { return call(*state.core); });
  if constexpr (std::is_same_v<decltype(outcome), status>) {
    raise_if_failed(outcome);
  } else {
    return value_or_raise(std::move(outcome));
  }
}

// Failures of a wait for records that have a name of their own: an offset that is not found, and
// what only members of the consumer protocol meet.
const char* failure_name(const consumer_state& state, error_code code) {
  if (code == error_code::not_found) return "NoOffsetForPartitionError";
  if (state.options.protocol == client::group_protocol::classic) return nullptr;
  switch (code) {
    case error_code::unsupported:
      return "UnsupportedVersionError";
    case broker::consumer_failures::unreleased_instance_id:
      return "UnreleasedInstanceIdError";
    case broker::consumer_failures::unsupported_assignor:
      return "UnsupportedAssignorError";
    default:
      return nullptr;
  }
}

bool filled_or_raise(const consumer_state& state, result<bool> filled) {
  const char* name = filled.ok() ? nullptr : failure_name(state, filled.code());
  if (name != nullptr) raise_named(name, filled.failure().message);
  return value_or_raise(std::move(filled));
}

// ---- records -------------------------------------------------------------------------------

// What the records of this partition share; kept while the partition stays assigned.
batch_context* context_for(consumer_state& state,
                           const std::shared_ptr<client::fetched_batch>& batch) {
  if (state.context != nullptr && state.context->batch == batch) return state.context;
  state.drop_context();
  auto& names = state.names[batch->partition.get()];
  if (names.reading.lock() != batch->partition) {
    if (state.names.size() > consumer_state::names_max) {
      std::erase_if(state.names, [](const auto& entry) { return entry.second.reading.expired(); });
    }
    const topic_partition& source = batch->partition->source;
    state.names[batch->partition.get()] = {batch->partition, text(source.topic),
                                           py::int_(source.partition.value()), to_python(source)};
  }
  const auto& known = state.names[batch->partition.get()];
  state.context = new batch_context{batch,
                                    known.topic,
                                    known.partition,
                                    known.source,
                                    py::int_(batch->leader_epoch.value()),
                                    py::int_(static_cast<int>(batch->timestamps)),
                                    1};
  return state.context;
}

// Applies a deserializer; nullptr with the exception set when it raised.
PyObject* deserialize(const deserializer& with, batch_context* context,
                      const model::record_view& record, std::optional<bytes_view> bytes) {
  const py::object raw = bytes_or_none(bytes);
  if (with.arity == 1) return PyObject_CallOneArg(with.function.ptr(), raw.ptr());
  const py::object headers = headers_to_list(record);
  return PyObject_CallFunctionObjArgs(with.function.ptr(), context->topic.ptr(), headers.ptr(),
                                      raw.ptr(), nullptr);
}

// The deserializer's exception becomes the cause of one that names the record; the position goes
// back to the record, so that the next call raises again until somebody seeks past it.
void blame_record(consumer_state& state, batch_context* context, offset_t offset,
                  const char* which) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (trace != nullptr) PyException_SetTraceback(value, trace);
  const auto cause = py::reinterpret_steal<py::object>(value);
  Py_XDECREF(type);
  Py_XDECREF(trace);
  const topic_partition& source = context->batch->partition->source;
  static_cast<void>(state.core->seek(source, offset));
  if (!PyErr_GivenExceptionMatches(cause.ptr(), PyExc_Exception)) {  // Ctrl-C, SystemExit
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(cause.ptr())), cause.ptr());
    return;
  }
  const std::string message = fmt::format(
      "{} raised {}: {} at {} offset {}; consumer.seek(TopicPartition('{}', {}), {}) goes on after "
      "it",
      which, Py_TYPE(cause.ptr())->tp_name, py::str(cause).cast<std::string>(), source.to_string(),
      offset, source.topic, source.partition, offset + 1);
  const py::object raised = registered().make_error("RecordDeserializationError", text(message));
  raised.attr("topic_partition") = context->source;
  raised.attr("offset") = offset.value();
  raised.attr("__cause__") = cause;
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
}

PyObject* record_of(consumer_state& state, const model::record_view& record) {
  batch_context* context = context_for(state, state.core->current());
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  if (state.key_deserializer) {
    key = deserialize(state.key_deserializer, context, record, record.key);
    if (key == nullptr) {
      blame_record(state, context, record.offset, "key_deserializer");
      return nullptr;
    }
  }
  if (state.value_deserializer) {
    value = deserialize(state.value_deserializer, context, record, record.value);
    if (value == nullptr) {
      Py_XDECREF(key);
      blame_record(state, context, record.offset, "value_deserializer");
      return nullptr;
    }
  }
  return make_record(context, record, key, value);
}

PyObject* next_slowly(consumer_state& state) {
  try {
    for (;;) {
      const bool found = [&] {
        const entered inside(state);
        return filled_or_raise(state, without_gil([&] {
                                 return state.core->fill_within(state.consumer_timeout,
                                                                &check_signals());
                               }));
      }();
      if (!found) return nullptr;  // StopIteration
      model::record_view record;
      if (state.core->take(record)) return record_of(state, record);
    }
  } catch (py::error_already_set& raised) {
    raised.restore();
    return nullptr;
  }
}

PyObject* consumer_next(PyObject* self) {
  consumer_state& state = *reinterpret_cast<consumer_object*>(self)->state;
  if (in_forked_child() || state.closed || state.inside_elsewhere()) [[unlikely]] {
    if (state.closed && !in_forked_child()) return nullptr;
    try {
      state.check();
    } catch (py::error_already_set& raised) {
      raised.restore();
      return nullptr;
    }
  }
  state.core->begin_call();
  model::record_view record;
  if (state.core->take(record)) [[likely]]
    return record_of(state, record);
  return next_slowly(state);
}

// Takes what is there, at most `count`, into lists by partition. False with the exception set.
bool collect(consumer_state& state, py::dict& records, std::int64_t count) {
  model::record_view record;
  PyObject* list = nullptr;  // of the partition below; borrowed from the dict
  const client::partition_reading* of = nullptr;
  for (std::int64_t taken = 0; taken < count && state.core->take(record); ++taken) {
    const client::partition_reading* from = state.core->current()->partition.get();
    PyObject* made = record_of(state, record);
    if (made == nullptr) {
      // What came before the bad record is the caller's; the next call meets the bad one first.
      if (taken == 0 || PyErr_ExceptionMatches(PyExc_Exception) == 0) return false;
      PyErr_Clear();
      return true;
    }
    if (from != of) {
      const py::object& source = state.context->source;
      if (!records.contains(source)) records[source] = py::list();
      list = PyDict_GetItem(records.ptr(), source.ptr());
      of = from;
    }
    const int appended = PyList_Append(list, made);
    Py_DECREF(made);
    if (appended != 0) return false;
  }
  return true;
}

py::object poll(consumer_object& self, const py::tuple& args) {
  consumer_state& state = self.checked();
  const auto timeout_ms = args[0].cast<std::int64_t>();
  const std::int64_t count =
      args[1].is_none() ? state.max_poll_records : args[1].cast<std::int64_t>();
  const bool update_offsets = args[2].cast<bool>();

  state.core->begin_call();
  py::dict records;
  const auto limit = client::wait_limit::after(milliseconds(timeout_ms), &check_signals());
  for (;;) {
    if (!collect(state, records, count)) throw py::error_already_set();
    if (!records.empty()) break;
    const entered inside(state);
    if (!filled_or_raise(state, without_gil([&] { return state.core->fill(limit); }))) break;
  }
  if (!update_offsets) {
    for (const auto& [source, list] : records) {
      const auto first = py::object(list[py::int_(0)]).attr("offset").cast<std::int64_t>();
      raise_if_failed(state.core->seek(to_topic_partition(source), offset_t(first)));
    }
  }
  return records;
}

PyObject* consumer_poll(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"timeout_ms", "max_records", "update_offsets", nullptr};
  PyObject* timeout = nullptr;
  PyObject* count = Py_None;
  int update_offsets = 1;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOp:poll", const_cast<char**>(names), &timeout,
                                   &count, &update_offsets)) {
    return nullptr;
  }
  try {
    const auto integer = [](PyObject* value, const char* name) -> py::int_ {
      if (value == nullptr) return py::int_(0);
      if (PyFloat_Check(value)) value = nullptr;
      if (value == nullptr || !PyIndex_Check(value) || PyBool_Check(value)) {
        raise_named("InvalidArgumentTypeError", std::string(name) + " must be an integer");
      }
      py::int_ checked = py::reinterpret_steal<py::int_>(PyNumber_Index(value));
      if (checked.cast<std::int64_t>() < 0) {
        raise_named("InvalidArgumentValueError", std::string(name) + " must not be negative");
      }
      return checked;
    };
    py::object records = py::none();
    if (count != Py_None) records = integer(count, "max_records");
    const py::tuple checked =
        py::make_tuple(integer(timeout, "timeout_ms"), records, py::bool_(update_offsets != 0));
    return poll(*reinterpret_cast<consumer_object*>(self), checked).release().ptr();
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const std::exception& failure) {
    PyErr_SetString(PyExc_OverflowError, failure.what());
  }
  return nullptr;
}

// ---- subscription --------------------------------------------------------------------------

py::object subscribe(consumer_object& self, const py::tuple& args) {
  std::vector<std::string> topics;
  for (const py::handle topic : args[0]) topics.push_back(topic.cast<std::string>());
  call_core(self.checked(),
            [&](client::consumer& core) { return core.subscribe(std::move(topics)); });
  return py::none();
}

py::object subscribe_to_expression(consumer_object& self, const py::tuple& args) {
  auto expression = args[0].cast<std::string>();
  call_core(self.checked(),
            [&](client::consumer& core) { return core.subscribe_to(std::move(expression)); });
  return py::none();
}

py::object set_topic_filter(consumer_object& self, const py::tuple& args) {
  consumer_state& state = self.checked();
  if (args[0].is_none()) return py::none();  // the next subscribe() ends it
  // Held without the GIL inside the core: released through a pointer that takes it.
  auto function = shared_with_gil(args[0]);
  call_core(state, [&](client::consumer& core) {
    return core.subscribe_by(
        [function](std::vector<std::string> names) -> result<std::vector<std::string>> {
          const py::gil_scoped_acquire acquired;
          try {
            py::list list;
            for (const std::string& name : names) list.append(text(name));
            std::vector<std::string> picked;
            const py::object answer = (*function)(list);
            for (const py::handle name : answer) {
              picked.push_back(name.cast<std::string>());
            }
            return picked;
          } catch (py::error_already_set& raised) {
            raised.restore();
            return make_error(error_code::interrupted, "the topic filter raised");
          }
        });
  });
  return py::none();
}

callback<status(const std::vector<topic_partition>&)> hook_of(py::handle function) {
  if (function.is_none()) return nullptr;
  return
      [held = shared_with_gil(function)](const std::vector<topic_partition>& partitions) -> status {
        const py::gil_scoped_acquire acquired;
        try {
          (*held)(to_list(partitions));
          return {};
        } catch (py::error_already_set& raised) {
          raised.restore();
          return make_error(error_code::interrupted, "the rebalance listener raised");
        }
      };
}

py::object set_rebalance_listener(consumer_object& self, const py::tuple& args) {
  self.checked().core->set_hooks({hook_of(args[0]), hook_of(args[1]), hook_of(args[2])});
  return py::none();
}

py::object assign(consumer_object& self, const py::tuple& args) {
  const auto partitions = to_topic_partitions(args[0]);
  call_core(self.checked(), [&](client::consumer& core) { return core.assign(partitions); });
  return py::none();
}

py::object unsubscribe(consumer_object& self, const py::tuple&) {
  consumer_state& state = self.checked();
  const auto limit = limit_of(state, py::none());
  call_core(state, [&](client::consumer& core) { return core.unsubscribe(limit); });
  return py::none();
}

py::object assignment(consumer_object& self, const py::tuple&) {
  return to_set(self.checked().core->assignment());
}

py::object subscription(consumer_object& self, const py::tuple&) {
  const auto topics = self.checked().core->subscription();
  if (!topics) return py::none();
  py::set set;
  for (const std::string& topic : *topics) set.add(text(topic));
  return set;
}

// ---- positions -----------------------------------------------------------------------------

py::object position(consumer_object& self, const py::tuple& args) {
  consumer_state& state = self.checked();
  const topic_partition source = to_topic_partition(args[0]);
  const auto limit = limit_of(state, args[1]);
  const offset_t found =
      call_core(state, [&](client::consumer& core) { return core.position(source, limit); });
  return py::int_(found.value());
}

py::object seek(consumer_object& self, const py::tuple& args) {
  raise_if_failed(self.checked().core->seek(to_topic_partition(args[0]),
                                            offset_t(args[1].cast<std::int64_t>())));
  return py::none();
}

template <client::offset_reset Where>
py::object seek_to(consumer_object& self, const py::tuple& args) {
  raise_if_failed(self.checked().core->seek_to(to_topic_partitions(args[0]), Where));
  return py::none();
}

template <bool Paused>
py::object pause(consumer_object& self, const py::tuple& args) {
  raise_if_failed(self.checked().core->pause(to_topic_partitions(args[0]), Paused));
  return py::none();
}

py::object paused(consumer_object& self, const py::tuple&) {
  return to_set(self.checked().core->paused());
}

py::object highwater(consumer_object& self, const py::tuple& args) {
  const auto found = self.checked().core->high_watermark(to_topic_partition(args[0]));
  return found ? py::object(py::int_(found->value())) : py::none();
}

// ---- offsets -------------------------------------------------------------------------------

// A commit that came too late for its group is what kafka-python calls CommitFailedError.
[[noreturn]] void raise_commit_failure(const error& failure) {
  switch (failure.code) {
    case error_code::illegal_generation:
    case error_code::unknown_member_id:
    case error_code::rebalance_in_progress:
      if (PyErr_Occurred() == nullptr) {
        raise_named("CommitFailedError",
                    failure.message +
                        "; the group gave the partitions to others, because this consumer did not "
                        "poll for longer than max_poll_interval_ms or a rebalance is under way: "
                        "poll() again, and process records that were not committed once more");
      }
      break;
    default:
      break;
  }
  raise(failure);
}

std::optional<client::partition_offsets> offsets_or_none(py::handle given) {
  if (given.is_none()) return std::nullopt;
  return to_partition_offsets(given);
}

py::object commit(consumer_object& self, const py::tuple& args) {
  consumer_state& state = self.checked();
  auto offsets = offsets_or_none(args[0]);
  const auto limit = limit_of(state, args[1]);
  const entered inside(state);
  const status outcome = without_gil([&] { return state.core->commit(std::move(offsets), limit); });
  if (!outcome.ok()) raise_commit_failure(outcome.failure());
  return py::none();
}

py::object commit_async(consumer_object& self, const py::tuple& args) {
  consumer_state& state = self.checked();
  auto offsets = offsets_or_none(args[0]);
  auto done = shared_with_gil(args[1]);
  without_gil([&] {
    state.core->commit_async(std::move(offsets),
                             [done](const client::partition_offsets& what, status outcome) {
                               post_callback([done, what, outcome = std::move(outcome)] {
                                 py::object failure = py::none();
                                 if (!outcome.ok()) failure = exception_for(outcome.failure());
                                 (*done)(to_dict(what), failure);
                               });
                             });
  });
  return py::none();
}

py::object committed(consumer_object& self, const py::tuple& args) {
  consumer_state& state = self.checked();
  const topic_partition source = to_topic_partition(args[0]);
  const auto limit = limit_of(state, args[1]);
  const auto found =
      call_core(state, [&](client::consumer& core) { return core.committed(source, limit); });
  if (!found || found->offset == no_offset) return py::none();
  return to_python(*found);
}

py::object list_offsets(consumer_object& self, py::handle sources, std::int64_t timestamp,
                        py::handle timeout_ms) {
  consumer_state& state = self.checked();
  const auto limit = limit_of(state, timeout_ms);
  py::dict offsets;
  for (const topic_partition& source : to_topic_partitions(sources)) {
    const auto found = call_core(
        state, [&](client::consumer& core) { return core.list_offset(source, timestamp, limit); });
    offsets[to_python(source)] = found.offset.value();
  }
  return offsets;
}

py::object beginning_offsets(consumer_object& self, const py::tuple& args) {
  return list_offsets(self, args[0], broker::earliest_timestamp, args[1]);
}

py::object end_offsets(consumer_object& self, const py::tuple& args) {
  return list_offsets(self, args[0], broker::latest_timestamp, args[1]);
}

py::object offsets_for_times(consumer_object& self, const py::tuple& args) {
  consumer_state& state = self.checked();
  const auto limit = limit_of(state, args[1]);
  py::dict offsets;
  for (const auto& [source, timestamp] : args[0].cast<py::dict>()) {
    const topic_partition from = to_topic_partition(source);
    const auto wanted = timestamp.cast<std::int64_t>();
    const auto found = call_core(
        state, [&](client::consumer& core) { return core.list_offset(from, wanted, limit); });
    offsets[to_python(from)] =
        found.offset == no_offset
            ? py::none()
            : registered().offset_and_timestamp(found.offset.value(), found.timestamp,
                                                found.leader_epoch.value());
  }
  return offsets;
}

// ---- metadata, the end ---------------------------------------------------------------------

py::object topics(consumer_object& self, const py::tuple&) {
  py::set names;
  consumer_state& state = self.checked();
  const entered inside(state);
  const auto limit = limit_of(state, py::none());
  for (const auto& topic : look_up_topics(state.core->over(), std::nullopt, limit)) {
    if (!topic.internal) names.add(text(topic.name));
  }
  return names;
}

py::object partitions_for_topic(consumer_object& self, const py::tuple& args) {
  py::set partitions;
  const auto name = args[0].cast<std::string>();
  consumer_state& state = self.checked();
  const entered inside(state);
  const auto limit = limit_of(state, py::none());
  for (const auto& topic : look_up_topics(state.core->over(), std::vector{name}, limit)) {
    for (const auto& partition : topic.partitions) {
      partitions.add(py::int_(partition.partition.value()));
    }
  }
  return partitions;
}

py::object group_metadata(consumer_object& self, const py::tuple&) {
  const auto identity = self.checked().core->group_identity();
  return py::make_tuple(text(identity.group), identity.generation, text(identity.member),
                        identity.instance ? py::object(text(*identity.instance)) : py::none());
}

py::object bootstrap_connected(consumer_object& self, const py::tuple&) {
  return py::bool_(!self.state->closed && self.state->core->over().check_usable().ok());
}

py::object wakeup(consumer_object& self, const py::tuple&) {
  check_not_forked();
  self.state->core->wakeup();
  return py::none();
}

py::object close(consumer_object& self, const py::tuple& args) {
  consumer_state& state = *self.state;
  if (state.closed || in_forked_child()) return py::none();
  const auto limit = limit_of(state, args[1]);
  const bool commit_positions = args[0].cast<bool>();
  status outcome;
  {
    const entered inside(state);
    outcome = without_gil([&] { return state.core->close(commit_positions, limit); });
  }
  state.closed = true;
  state.drop_context();
  without_gil([&] { state.ending.reset(); });
  if (!outcome.ok()) raise_commit_failure(outcome.failure());
  return py::none();
}

PyObject* consumer_iter(PyObject* self) { return Py_NewRef(self); }

PyMethodDef consumer_methods[] = {
    {"poll", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(consumer_poll)),
     METH_VARARGS | METH_KEYWORDS, nullptr},
    {"subscribe", method<consumer_object, subscribe>, METH_VARARGS, nullptr},
    {"subscribe_to_expression", method<consumer_object, subscribe_to_expression>, METH_VARARGS,
     nullptr},
    {"set_topic_filter", method<consumer_object, set_topic_filter>, METH_VARARGS, nullptr},
    {"set_rebalance_listener", method<consumer_object, set_rebalance_listener>, METH_VARARGS,
     nullptr},
    {"assign", method<consumer_object, assign>, METH_VARARGS, nullptr},
    {"unsubscribe", method<consumer_object, unsubscribe>, METH_VARARGS, nullptr},
    {"assignment", method<consumer_object, assignment>, METH_VARARGS, nullptr},
    {"subscription", method<consumer_object, subscription>, METH_VARARGS, nullptr},
    {"position", method<consumer_object, position>, METH_VARARGS, nullptr},
    {"seek", method<consumer_object, seek>, METH_VARARGS, nullptr},
    {"seek_to_beginning", method<consumer_object, seek_to<client::offset_reset::earliest>>,
     METH_VARARGS, nullptr},
    {"seek_to_end", method<consumer_object, seek_to<client::offset_reset::latest>>, METH_VARARGS,
     nullptr},
    {"pause", method<consumer_object, pause<true>>, METH_VARARGS, nullptr},
    {"resume", method<consumer_object, pause<false>>, METH_VARARGS, nullptr},
    {"paused", method<consumer_object, paused>, METH_VARARGS, nullptr},
    {"highwater", method<consumer_object, highwater>, METH_VARARGS, nullptr},
    {"commit", method<consumer_object, commit>, METH_VARARGS, nullptr},
    {"commit_async", method<consumer_object, commit_async>, METH_VARARGS, nullptr},
    {"committed", method<consumer_object, committed>, METH_VARARGS, nullptr},
    {"beginning_offsets", method<consumer_object, beginning_offsets>, METH_VARARGS, nullptr},
    {"end_offsets", method<consumer_object, end_offsets>, METH_VARARGS, nullptr},
    {"offsets_for_times", method<consumer_object, offsets_for_times>, METH_VARARGS, nullptr},
    {"topics", method<consumer_object, topics>, METH_VARARGS, nullptr},
    {"partitions_for_topic", method<consumer_object, partitions_for_topic>, METH_VARARGS, nullptr},
    {"group_metadata", method<consumer_object, group_metadata>, METH_VARARGS, nullptr},
    {"bootstrap_connected", method<consumer_object, bootstrap_connected>, METH_VARARGS, nullptr},
    {"wakeup", method<consumer_object, wakeup>, METH_VARARGS, nullptr},
    {"close", method<consumer_object, close>, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

void register_consumer(py::module_& module) {
  PyType_Slot slots[] = {
      {Py_tp_new, slot(consumer_new)},
      {Py_tp_init, slot(consumer_init)},
      {Py_tp_dealloc, slot(consumer_dealloc)},
      {Py_tp_traverse, slot(consumer_traverse)},
      {Py_tp_clear, slot(consumer_clear)},
      {Py_tp_iter, slot(consumer_iter)},
      {Py_tp_iternext, slot(consumer_next)},
      {Py_tp_methods, consumer_methods},
      {Py_tp_doc, const_cast<char*>("The native half of KafkaConsumer.")},
      {0, nullptr},
  };
  PyType_Spec spec{"ringlog._native.Consumer", sizeof(consumer_object), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  const py::object type = owned(PyType_FromSpec(&spec));
  consumer_type = reinterpret_cast<PyTypeObject*>(type.ptr());
  module.attr("Consumer") = type;
}

}  // namespace ringlog::python
