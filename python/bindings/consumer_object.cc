#include "consumer_object.h"

namespace ringlog::python {
namespace {

constexpr milliseconds for_ever{86'400'000LL * 365};

client::offset_reset reset_by_name(const std::string& name) {
  if (name == "earliest") return client::offset_reset::earliest;
  return name == "latest" ? client::offset_reset::latest : client::offset_reset::none;
}

client::group_protocol protocol_by_name(const std::string& name) {
  return name == "consumer" ? client::group_protocol::consumer : client::group_protocol::classic;
}

client::consumer_options read_options(const py::dict& given) {
  client::consumer_options options;
  options.client_id = option<std::string>(given, "client_id");
  options.group_id = optional_option<std::string>(given, "group_id");
  options.group_instance_id = optional_option<std::string>(given, "group_instance_id");
  options.protocol = protocol_by_name(option<std::string>(given, "group_protocol"));
  options.remote_assignor = optional_option<std::string>(given, "group_remote_assignor");
  options.auto_offset_reset = reset_by_name(option<std::string>(given, "auto_offset_reset"));
  options.enable_auto_commit = option<bool>(given, "enable_auto_commit");
  options.auto_commit_interval_ms = option<std::int64_t>(given, "auto_commit_interval_ms");
  options.fetch_max_wait_ms = option<std::int64_t>(given, "fetch_max_wait_ms");
  options.fetch_min_bytes = option<std::int64_t>(given, "fetch_min_bytes");
  options.fetch_max_bytes = option<std::int64_t>(given, "fetch_max_bytes");
  options.max_partition_fetch_bytes = option<std::int64_t>(given, "max_partition_fetch_bytes");
  options.max_poll_interval_ms = option<std::int64_t>(given, "max_poll_interval_ms");
  options.session_timeout_ms = option<std::int64_t>(given, "session_timeout_ms");
  options.heartbeat_interval_ms = option<std::int64_t>(given, "heartbeat_interval_ms");
  options.default_api_timeout_ms = option<std::int64_t>(given, "default_api_timeout_ms");
  options.retry_backoff_ms = option<std::int64_t>(given, "retry_backoff_ms");
  options.check_crcs = option<bool>(given, "check_crcs");
  options.isolation = static_cast<isolation_level>(option<int>(given, "isolation_level"));
  options.allow_auto_create_topics = option<bool>(given, "allow_auto_create_topics");
  options.assignors.clear();
  for (const py::handle name : given["assignors"].cast<py::list>()) {
    options.assignors.push_back(name.cast<std::string>());
  }
  return options;
}

}  // namespace

void consumer_state::check() const {
  check_not_forked();
  if (closed) raise_named("ClosedError", "the consumer is closed");
  if (inside_elsewhere()) {
    raise_named("IllegalStateError",
                "KafkaConsumer is not safe for multi-threaded access: another thread is inside a "
                "call of this consumer; give every thread its own");
  }
}

consumer_state& consumer_object::checked() {
  if (state == nullptr) {
    raise_named("IllegalStateError", "the consumer was not initialised: call __init__ first");
  }
  state->check();
  return *state;
}

PyObject* consumer_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self != nullptr) reinterpret_cast<consumer_object*>(self)->state = nullptr;
  return self;
}

int consumer_init(PyObject* self, PyObject* args, PyObject*) {
  auto* object = reinterpret_cast<consumer_object*>(self);
  try {
    const py::dict given = py::reinterpret_borrow<py::tuple>(args)[0].cast<py::dict>();
    check_not_forked();
    auto state = std::make_unique<consumer_state>();
    state->options = read_options(given);
    const auto timeout = optional_option<std::int64_t>(given, "consumer_timeout_ms");
    state->consumer_timeout = timeout ? milliseconds(*timeout) : for_ever;
    state->max_poll_records = option<std::int64_t>(given, "max_poll_records");
    state->key_deserializer = {given["key_deserializer"],
                               option<int>(given, "key_deserializer_arity")};
    state->value_deserializer = {given["value_deserializer"],
                                 option<int>(given, "value_deserializer_arity")};
    auto transport = open_transport(given);
    without_gil([&] {
      state->core = client::consumer::make(std::move(transport), state->options);
      state->ending = std::make_unique<open_client>([weak = std::weak_ptr(state->core)] {
        if (const auto core = weak.lock()) core->abandon();
      });
    });
    object->state = state.release();
    return 0;
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const std::exception& failure) {
    PyErr_SetString(PyExc_TypeError, failure.what());
  }
  return -1;
}

void consumer_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  auto* object = reinterpret_cast<consumer_object*>(self);
  if (consumer_state* state = std::exchange(object->state, nullptr)) {
    const bool forked = in_forked_child();
    if (!state->closed && !forked) {
      without_gil([&] {
        state->core->abandon();
        state->ending.reset();
      });
    }
    if (!forked) delete state;  // in a forked child the core's locks may be held for ever
  }
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

int consumer_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (const consumer_state* state = reinterpret_cast<consumer_object*>(self)->state) {
    Py_VISIT(state->key_deserializer.function.ptr());
    Py_VISIT(state->value_deserializer.function.ptr());
  }
  return 0;
}

int consumer_clear(PyObject* self) {
  if (consumer_state* state = reinterpret_cast<consumer_object*>(self)->state) {
    state->key_deserializer.function = py::none();
    state->value_deserializer.function = py::none();
  }
  return 0;
}

}  // namespace ringlog::python
