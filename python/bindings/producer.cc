#include "client/producer.h"

#include <array>
#include <cmath>

#include "callbacks.h"
#include "codec/codec.h"
#include "future.h"
#include "lifetime.h"

// The native half of KafkaProducer. send() is the hot path: plain C API, no allocation but the
// future's, the GIL kept unless the buffer is full.
namespace ringlog::python {
namespace {

struct serializer {
  py::object function;  // none: bytes as they are
  int arity = 1;        // 1: f(value); 3: f(topic, headers, value)
};

struct producer_state {
  std::shared_ptr<client::producer> core;
  client::producer_options options;
  serializer key_serializer;
  serializer value_serializer;
  py::object partitioner;                 // a callable, or none
  std::weak_ptr<client::transport> over;  // lives as long as records are on their way
  std::unique_ptr<open_client> ending;
  bool closed = false;

  // The topic of the latest send, by the identity of its name.
  py::object last_name;
  client::producer_topic* last_topic = nullptr;
};

struct producer_object {
  PyObject_HEAD producer_state* state;  // nullptr until __init__

  producer_state& checked() {
    check_not_forked();
    if (state == nullptr || state->closed) {
      raise_named("ClosedError", "the producer is closed: make a new one to send again");
    }
    return *state;
  }
};

client::wait_limit limit_of_seconds(py::handle timeout) {
  const double seconds = timeout.is_none() ? 1e9 : timeout.cast<double>();
  return client::wait_limit::after(
      milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e3))), &check_signals());
}

// ---- arguments of send

enum argument : std::size_t { topic, value, key, headers, partition, timestamp_ms, argument_count };

std::array<PyObject*, argument_count> argument_names;  // interned

bool take_arguments(PyObject* const* args, Py_ssize_t count, PyObject* names,
                    std::array<PyObject*, argument_count>& taken) {
  if (count > static_cast<Py_ssize_t>(argument_count)) {
    PyErr_Format(PyExc_TypeError, "send() takes at most 6 arguments, %zd were given", count);
    return false;
  }
  taken.fill(nullptr);
  for (Py_ssize_t i = 0; i < count; ++i) taken[static_cast<std::size_t>(i)] = args[i];
  const Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* name = PyTuple_GET_ITEM(names, i);
    std::size_t at = 0;
    while (at < argument_count && argument_names[at] != name) ++at;
    if (at == argument_count) {  // not interned, or unknown
      at = 0;
      while (at < argument_count && PyUnicode_Compare(argument_names[at], name) != 0) ++at;
    }
    if (at == argument_count || taken[at] != nullptr) {
      PyErr_Format(PyExc_TypeError, "send() got an unexpected or repeated argument '%U'", name);
      return false;
    }
    taken[at] = args[count + i];
  }
  if (taken[topic] == nullptr) {
    PyErr_SetString(PyExc_TypeError, "send() misses its argument 'topic'");
    return false;
  }
  for (PyObject*& each : taken) {
    if (each == nullptr) each = Py_None;
  }
  return true;
}

// The bytes of a key or value: of a bytes object as they are, of other buffers for as long as this
// lives.
class held_bytes {
 public:
  held_bytes() = default;
  held_bytes(const held_bytes&) = delete;
  held_bytes& operator=(const held_bytes&) = delete;
  ~held_bytes() {
    if (buffer_.obj != nullptr) PyBuffer_Release(&buffer_);
    Py_XDECREF(owner_);
  }

  // False with the exception set. Steals `object` when it is a serializer's result.
  bool hold(PyObject* object, bool stolen, const char* what) {
    if (stolen) owner_ = object;
    if (object == Py_None) return true;
    if (PyBytes_Check(object)) {
      bytes_ = bytes_view(reinterpret_cast<const std::byte*>(PyBytes_AS_STRING(object)),
                          static_cast<std::size_t>(PyBytes_GET_SIZE(object)));
      return true;
    }
    if (PyUnicode_Check(object) || PyObject_GetBuffer(object, &buffer_, PyBUF_SIMPLE) != 0) {
      PyErr_Clear();
      refuse(object, stolen, what);
      return false;
    }
    bytes_ = bytes_view(static_cast<const std::byte*>(buffer_.buf),
                        static_cast<std::size_t>(buffer_.len));
    return true;
  }

  const std::optional<bytes_view>& bytes() const { return bytes_; }
  std::int32_t size() const { return bytes_ ? static_cast<std::int32_t>(bytes_->size()) : -1; }
  py::object object() const { return bytes_or_none(bytes_); }

 private:
  static void refuse(PyObject* object, bool stolen, const char* what) {
    try {
      raise_named("InvalidArgumentTypeError",
                  stolen ? fmt::format("the {0}_serializer returned {1}: it must return bytes "
                                       "or None",
                                       what, Py_TYPE(object)->tp_name)
                         : fmt::format("{0} is {1} and there is no {0}_serializer: pass bytes, or "
                                       "{0}_serializer=lambda {0}: {0}.encode()",
                                       what, Py_TYPE(object)->tp_name));
    } catch (py::error_already_set& raised) {
      raised.restore();
    }
  }

  Py_buffer buffer_{};
  PyObject* owner_ = nullptr;
  std::optional<bytes_view> bytes_;
};

bool serialize(const serializer& with, const std::array<PyObject*, argument_count>& arguments,
               argument which, const char* what, held_bytes& held) {
  PyObject* given = arguments[which];
  if (with.function.ptr() == nullptr) return held.hold(given, false, what);
  PyObject* made = with.arity == 1
                       ? PyObject_CallOneArg(with.function.ptr(), given)
                       : PyObject_CallFunctionObjArgs(with.function.ptr(), arguments[topic],
                                                      arguments[headers], given, nullptr);
  return made != nullptr && held.hold(made, true, what);
}

struct read_headers {
  std::vector<model::record_header_view> views;
  std::int32_t size = -1;
};

void take_headers(PyObject* given, read_headers& taken) {
  if (given == Py_None) return;
  if (!PyList_Check(given)) {
    raise_named("InvalidArgumentTypeError", "headers must be a list of (str, bytes) tuples, not " +
                                                std::string(Py_TYPE(given)->tp_name));
  }
  std::size_t size = 0;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(given); ++i) {
    PyObject* pair = PyList_GET_ITEM(given, i);
    const bool fits =
        PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 &&
        PyUnicode_Check(PyTuple_GET_ITEM(pair, 0)) &&
        (PyTuple_GET_ITEM(pair, 1) == Py_None || PyBytes_Check(PyTuple_GET_ITEM(pair, 1)));
    if (!fits) {
      raise_named("InvalidArgumentTypeError",
                  fmt::format("headers[{}] must be a tuple (str, bytes), not {}", i,
                              py::repr(pair).cast<std::string>()));
    }
    Py_ssize_t name_size = 0;
    const char* name = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(pair, 0), &name_size);
    if (name == nullptr) throw py::error_already_set();
    auto& view = taken.views.emplace_back();
    view.key = std::string_view(name, static_cast<std::size_t>(name_size));
    size += view.key.size();
    if (PyObject* content = PyTuple_GET_ITEM(pair, 1); content != Py_None) {
      view.value = bytes_view(reinterpret_cast<const std::byte*>(PyBytes_AS_STRING(content)),
                              static_cast<std::size_t>(PyBytes_GET_SIZE(content)));
      size += view.value->size();
    }
  }
  if (!taken.views.empty()) taken.size = static_cast<std::int32_t>(size);
}

// ---- send

client::producer_topic* find_topic(producer_state& state, PyObject* name) {
  if (name == state.last_name.ptr()) [[likely]]
    return state.last_topic;
  if (!PyUnicode_Check(name)) {
    raise_named("InvalidArgumentTypeError",
                "topic must be str, not " + std::string(Py_TYPE(name)->tp_name));
  }
  Py_ssize_t size = 0;
  const char* characters = PyUnicode_AsUTF8AndSize(name, &size);
  if (characters == nullptr) throw py::error_already_set();
  const std::string wanted(characters, static_cast<std::size_t>(size));
  const auto limit =
      client::wait_limit::after(milliseconds(state.options.max_block_ms), &check_signals());
  client::producer_topic* found =
      value_or_raise(without_gil([&] { return state.core->topic(wanted, limit); }));
  state.last_name = py::reinterpret_borrow<py::object>(name);
  state.last_topic = found;
  return found;
}

void take_partition(producer_state& state, const std::array<PyObject*, argument_count>& arguments,
                    const held_bytes& key_bytes, const held_bytes& value_bytes,
                    client::outgoing_record& record) {
  PyObject* given = arguments[partition];
  py::object chosen;
  if (given == Py_None) {
    if (state.partitioner.ptr() == nullptr) return;
    chosen =
        state.partitioner(py::handle(arguments[topic]), py::handle(arguments[key]),
                          key_bytes.object(), py::handle(arguments[value]), value_bytes.object());
    given = chosen.ptr();
  }
  if (!PyLong_Check(given) || PyBool_Check(given)) {
    raise_named("InvalidArgumentTypeError",
                "partition must be an int, not " + std::string(Py_TYPE(given)->tp_name));
  }
  const long number = PyLong_AsLong(given);
  if (PyErr_Occurred() != nullptr || number < 0 || number > INT32_MAX) {
    PyErr_Clear();
    raise_named("InvalidArgumentValueError",
                "Unrecognized partition " + py::str(given).cast<std::string>());
  }
  record.partition = partition_id_t(static_cast<std::int32_t>(number));
}

PyObject* send_record(producer_state& state,
                      const std::array<PyObject*, argument_count>& arguments) {
  client::producer_topic* to = find_topic(state, arguments[topic]);
  if (arguments[key] == Py_None && arguments[value] == Py_None) {
    raise_named("InvalidArgumentValueError",
                "key and value are both None: a record needs one of them (a key with value None "
                "deletes the key in a compacted topic)");
  }
  held_bytes key_bytes;
  held_bytes value_bytes;
  if (!serialize(state.key_serializer, arguments, key, "key", key_bytes) ||
      !serialize(state.value_serializer, arguments, value, "value", value_bytes)) {
    return nullptr;
  }
  read_headers taken_headers;
  take_headers(arguments[headers], taken_headers);

  client::outgoing_record record;
  record.key = key_bytes.bytes();
  record.value = value_bytes.bytes();
  record.headers = taken_headers.views;
  take_partition(state, arguments, key_bytes, value_bytes, record);
  if (arguments[timestamp_ms] != Py_None) {
    if (!PyLong_Check(arguments[timestamp_ms])) {
      raise_named("InvalidArgumentTypeError",
                  "timestamp_ms must be an int, not " +
                      std::string(Py_TYPE(arguments[timestamp_ms])->tp_name));
    }
    record.timestamp = py::handle(arguments[timestamp_ms]).cast<std::int64_t>();
    if (record.timestamp < 0) {
      raise_named("InvalidArgumentValueError", "timestamp_ms must not be negative");
    }
  }
  auto sent = state.core->try_send(*to, record);
  if (!sent.ok() && sent.code() == error_code::no_memory) {
    const auto limit =
        client::wait_limit::after(milliseconds(state.options.max_block_ms), &check_signals());
    const std::shared_ptr<client::producer> core = state.core;
    sent = without_gil([&] { return core->send(*to, record, limit); });
  }
  if (!sent.ok()) raise(sent.failure());
  return make_future(std::move(*sent), arguments[topic],
                     {key_bytes.size(), value_bytes.size(), taken_headers.size});
}

PyObject* producer_send(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  std::array<PyObject*, argument_count> arguments;
  if (!take_arguments(args, count, names, arguments)) return nullptr;
  try {
    return send_record(reinterpret_cast<producer_object*>(self)->checked(), arguments);
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const std::exception& failure) {
    PyErr_SetString(PyExc_TypeError, failure.what());
  }
  return nullptr;
}

// ---- the rest

py::object flush_within(producer_object& self, py::handle timeout) {
  const std::shared_ptr<client::producer> core = self.checked().core;
  const auto limit = limit_of_seconds(timeout);
  const status flushed = without_gil([&] { return core->flush(limit); });
  if (!flushed.ok() && flushed.code() == error_code::timed_out) {
    raise_named("KafkaTimeoutError",
                "flush did not finish in " + py::str(timeout).cast<std::string>() + " seconds");
  }
  raise_if_failed(flushed);
  return py::none();
}

py::object close_within(producer_object& self, py::handle timeout) {
  if (self.state == nullptr || self.state->closed || in_forked_child()) return py::none();
  self.state->closed = true;
  const auto limit =
      on_callback_thread() ? client::wait_limit::after(milliseconds{0}) : limit_of_seconds(timeout);
  const std::shared_ptr<client::producer> core = self.state->core;
  const status closed = without_gil([&] { return core->close(limit); });
  without_gil([&] { self.state->ending.reset(); });
  if (!closed.ok() && closed.code() != error_code::timed_out) raise(closed.failure());
  return py::none();
}

// One optional argument `timeout`, in seconds; close() takes kafka-python's null_logger too.
template <auto Function>
PyObject* timed(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"timeout", "null_logger", nullptr};
  PyObject* timeout = Py_None;
  PyObject* ignored = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", const_cast<char**>(names), &timeout,
                                   &ignored)) {
    return nullptr;
  }
  try {
    return Function(*reinterpret_cast<producer_object*>(self), timeout).release().ptr();
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const std::exception& failure) {
    PyErr_SetString(PyExc_TypeError, failure.what());
  }
  return nullptr;
}

py::object partitions_for(producer_object& self, const py::tuple& args) {
  producer_state& state = self.checked();
  client::producer_topic* found = find_topic(state, py::object(args[0]).ptr());
  py::set partitions;
  const std::int32_t count = state.core->partition_count(*found);
  for (std::int32_t id = 0; id < count; ++id) partitions.add(py::int_(id));
  return partitions;
}

py::object topics(producer_object& self, const py::tuple&) {
  py::set names;
  const producer_state& state = self.checked();
  const auto limit =
      client::wait_limit::after(milliseconds(state.options.max_block_ms), &check_signals());
  for (const auto& each : look_up_topics(state.core->over(), std::nullopt, limit)) {
    if (!each.internal) names.add(text(each.name));
  }
  return names;
}

py::object bootstrap_connected(producer_object& self, const py::tuple&) {
  return py::bool_(self.state != nullptr && !self.state->closed &&
                   self.state->core->over().check_usable().ok());
}

// ---- making and unmaking

client::producer_options read_options(const py::dict& given) {
  client::producer_options options;
  options.client_id = optional_option<std::string>(given, "client_id").value_or("ringlog");
  options.acks = static_cast<broker::required_acks>(option<int>(given, "acks"));
  options.enable_idempotence = option<bool>(given, "enable_idempotence");
  const auto codec = optional_option<std::string>(given, "compression_type").value_or("none");
  options.compression = value_or_raise(codec::parse_compression_type(codec));
  options.batch_size = option<std::int64_t>(given, "batch_size");
  options.linger_ms = option<std::int64_t>(given, "linger_ms");
  options.max_block_ms = option<std::int64_t>(given, "max_block_ms");
  options.max_request_size = option<std::int64_t>(given, "max_request_size");
  options.delivery_timeout_ms = option<std::int64_t>(given, "delivery_timeout_ms");
  options.request_timeout_ms = option<std::int64_t>(given, "request_timeout_ms");
  if (const auto retries = optional_option<std::int64_t>(given, "retries")) {
    options.retries = *retries;
  }
  options.retry_backoff_ms = option<std::int64_t>(given, "retry_backoff_ms");
  options.max_in_flight = option<std::int32_t>(given, "max_in_flight");
  options.buffer_memory = option<std::int64_t>(given, "buffer_memory");
  options.allow_auto_create_topics = option<bool>(given, "allow_auto_create_topics");
  const py::object partitioner = given["partitioner"];
  if (py::isinstance<py::str>(partitioner) && partitioner.cast<std::string>() == "sticky") {
    options.null_keys = client::null_key_partitioning::sticky;
  }
  return options;
}

serializer read_serializer(const py::dict& given, const char* name, const char* arity) {
  py::object function = given[name];
  if (function.is_none()) return {};
  return {std::move(function), option<int>(given, arity)};
}

PyObject* producer_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self != nullptr) reinterpret_cast<producer_object*>(self)->state = nullptr;
  return self;
}

int producer_init(PyObject* self, PyObject* args, PyObject*) {
  try {
    const py::dict given = py::reinterpret_borrow<py::tuple>(args)[0].cast<py::dict>();
    check_not_forked();
    auto state = std::make_unique<producer_state>();
    state->options = read_options(given);
    state->key_serializer = read_serializer(given, "key_serializer", "key_serializer_arity");
    state->value_serializer = read_serializer(given, "value_serializer", "value_serializer_arity");
    const py::object partitioner = given["partitioner"];
    if (!py::isinstance<py::str>(partitioner)) state->partitioner = partitioner;
    auto transport = open_transport(given);
    state->over = transport;
    without_gil([&] {
      state->core = client::producer::make(std::move(transport), state->options);
      state->ending = std::make_unique<open_client>([weak = std::weak_ptr(state->core)] {
        const auto core = weak.lock();
        if (core) static_cast<void>(core->close(client::wait_limit::after(shutdown_flush_max)));
      });
    });
    reinterpret_cast<producer_object*>(self)->state = state.release();
    return 0;
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const std::exception& failure) {
    PyErr_SetString(PyExc_TypeError, failure.what());
  }
  return -1;
}

void producer_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  auto* object = reinterpret_cast<producer_object*>(self);
  if (producer_state* state = std::exchange(object->state, nullptr)) {
    const bool forked = in_forked_child();
    if (!state->closed && !forked) {
      without_gil([&] {
        state->core->abandon();
        let_go(state->over);
        state->ending.reset();
      });
    }
    if (!forked) delete state;  // in a forked child the core's locks may be held for ever
  }
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

int producer_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (const producer_state* state = reinterpret_cast<producer_object*>(self)->state) {
    Py_VISIT(state->key_serializer.function.ptr());
    Py_VISIT(state->value_serializer.function.ptr());
    Py_VISIT(state->partitioner.ptr());
  }
  return 0;
}

int producer_clear(PyObject* self) {
  if (producer_state* state = reinterpret_cast<producer_object*>(self)->state) {
    state->key_serializer = {};
    state->value_serializer = {};
    state->partitioner = py::object();
  }
  return 0;
}

template <typename Function>
PyCFunction function_of(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef producer_methods[] = {
    {"send", function_of(producer_send), METH_FASTCALL | METH_KEYWORDS,
     "send(topic, value=None, key=None, headers=None, partition=None, timestamp_ms=None)\n--\n\n"
     "Takes the record and returns the future of its RecordMetadata."},
    {"flush", function_of(timed<flush_within>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"close", function_of(timed<close_within>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"partitions_for", method<producer_object, partitions_for>, METH_VARARGS, nullptr},
    {"topics", method<producer_object, topics>, METH_VARARGS, nullptr},
    {"bootstrap_connected", method<producer_object, bootstrap_connected>, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

void register_producer(py::module_& module) {
  constexpr std::array names = {"topic", "value", "key", "headers", "partition", "timestamp_ms"};
  static_assert(names.size() == argument_count);
  for (std::size_t i = 0; i < names.size(); ++i) {
    argument_names[i] = PyUnicode_InternFromString(names[i]);
  }
  PyType_Slot slots[] = {
      {Py_tp_new, slot(producer_new)},
      {Py_tp_init, slot(producer_init)},
      {Py_tp_dealloc, slot(producer_dealloc)},
      {Py_tp_traverse, slot(producer_traverse)},
      {Py_tp_clear, slot(producer_clear)},
      {Py_tp_methods, producer_methods},
      {Py_tp_doc, const_cast<char*>("The native half of KafkaProducer.")},
      {0, nullptr},
  };
  PyType_Spec spec{"ringlog._native.Producer", sizeof(producer_object), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  module.attr("Producer") = owned(PyType_FromSpec(&spec));
}

}  // namespace ringlog::python
