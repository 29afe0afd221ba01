#include "future.h"

#include <array>
#include <cmath>
#include <new>

#include "callbacks.h"
#include "structs.h"

namespace ringlog::python {
namespace {

// Tracked by the garbage collector only once it holds an exception, whose traceback can lead back.
struct future_object {
  PyObject_HEAD PyObject* topic;
  PyObject* value;      // the RecordMetadata made so far, or nullptr
  PyObject* exception;  // made so far, or nullptr
  record_sizes sizes;
  alignas(client::sent_record) std::byte sent_bytes[sizeof(client::sent_record)];

  client::sent_record& sent() { return *reinterpret_cast<client::sent_record*>(sent_bytes); }
};

PyTypeObject* future_type = nullptr;

constexpr std::size_t free_futures_max = 1024;
std::array<future_object*, free_futures_max> free_futures;
std::size_t free_future_count = 0;

future_object* cast(PyObject* self) { return reinterpret_cast<future_object*>(self); }

void future_dealloc(PyObject* self) {
  future_object* future = cast(self);
  if (PyObject_GC_IsTracked(self)) PyObject_GC_UnTrack(self);
  future->sent().~sent_record();
  Py_CLEAR(future->topic);
  Py_CLEAR(future->value);
  Py_CLEAR(future->exception);
  if (free_future_count < free_futures_max) {
    free_futures[free_future_count++] = future;
    return;
  }
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

int future_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(cast(self)->value);
  Py_VISIT(cast(self)->exception);
  return 0;
}

int future_clear(PyObject* self) {
  Py_CLEAR(cast(self)->value);
  Py_CLEAR(cast(self)->exception);
  return 0;
}

// ---- the outcome

py::object metadata_of(future_object& self) {
  client::batch_completion& batch = *self.sent().batch;
  if (!batch.done() || batch.failure()) return py::none();
  if (self.value == nullptr) {
    const std::int64_t base = batch.base_offset().value();
    const std::int64_t offset = base < 0 ? base : base + self.sent().index;
    const std::int64_t timestamp = batch.log_append_timestamp() != no_timestamp
                                       ? batch.log_append_timestamp()
                                       : self.sent().timestamp;
    const auto topic = py::reinterpret_borrow<py::object>(self.topic);
    const py::int_ partition(self.sent().partition.value());
    const py::object source = registered().topic_partition(topic, partition);
    self.value = registered()
                     .record_metadata(topic, partition, source, offset, timestamp, py::none(),
                                      self.sizes.key, self.sizes.value, self.sizes.headers)
                     .release()
                     .ptr();
  }
  return py::reinterpret_borrow<py::object>(self.value);
}

py::object exception_of(future_object& self) {
  client::batch_completion& batch = *self.sent().batch;
  if (!batch.done() || !batch.failure()) return py::none();
  if (self.exception == nullptr) {
    self.exception = exception_for(*batch.failure()).release().ptr();
    PyObject_GC_Track(reinterpret_cast<PyObject*>(&self));
  }
  return py::reinterpret_borrow<py::object>(self.exception);
}

[[noreturn]] void raise_exception_of(future_object& self) {
  const py::object raised = exception_of(self);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
  throw py::error_already_set();
}

py::object get(future_object& self, const py::tuple& args, const py::dict& kwargs) {
  py::object timeout = py::none();
  if (!args.empty()) timeout = args[0];
  if (kwargs.contains("timeout")) timeout = kwargs["timeout"];
  // Without a timeout delivery_timeout_ms ends the wait.
  const double seconds = timeout.is_none() ? 1e9 : timeout.cast<double>();
  client::batch_completion& batch = *self.sent().batch;
  if (!batch.done()) {
    check_not_forked();
    if (on_callback_thread()) {
      raise_named("IllegalStateError",
                  "get() of a future that is not done, in a callback: it would wait for itself");
    }
    const auto limit = client::wait_limit::after(
        milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000))), &check_signals());
    const std::shared_ptr<client::batch_completion> held = self.sent().batch;
    const status waited = without_gil([&] { return held->wait(limit); });
    if (!waited.ok()) {
      if (waited.code() != error_code::timed_out) raise(waited.failure());
      raise_named("KafkaTimeoutError",
                  "Timeout after waiting for " + py::str(timeout).cast<std::string>() + " secs.");
    }
  }
  if (batch.failure()) raise_exception_of(self);
  return metadata_of(self);
}

// ---- callbacks

// What add_callback and its kin registered: f(*args, outcome, **kwargs).
struct registered_call {
  py::object function;
  py::tuple args;
  py::dict kwargs;
};

void log_exception(py::error_already_set& raised) {
  const py::object logger = py::module_::import("logging").attr("getLogger")("ringlog.future");
  logger.attr("error")("Error processing a callback of a future",
                       py::arg("exc_info") = raised.value());
}

void run_call(const registered_call& call, const py::object& outcome) {
  try {
    py::list args;
    for (const py::handle each : call.args) args.append(each);
    args.append(outcome);
    call.function(*py::tuple(args), **call.kwargs);
  } catch (py::error_already_set& raised) {
    log_exception(raised);
  }
}

enum class fires : std::uint8_t { on_success, on_failure, always };

void fire(future_object& self, fires when, const registered_call& call) {
  const bool failed = self.sent().batch->failure().has_value();
  if (failed ? when == fires::on_success : when == fires::on_failure) return;
  run_call(call, failed ? exception_of(self) : metadata_of(self));
}

template <fires When>
PyObject* add_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  try {
    const auto given = py::reinterpret_borrow<py::tuple>(args);
    if (given.empty() || PyCallable_Check(given[0].ptr()) == 0) {
      raise_named("InvalidArgumentTypeError", "a callback must be callable");
    }
    auto* call = new registered_call{
        given[0], given[py::slice(1, given.size(), 1)],
        kwargs == nullptr ? py::dict() : py::reinterpret_borrow<py::dict>(kwargs)};
    const std::shared_ptr<registered_call> held(call, [](registered_call* dropped) {
      const py::gil_scoped_acquire acquired;
      delete dropped;
    });
    future_object& future = *cast(self);
    if (future.sent().batch->done()) {
      fire(future, When, *held);
    } else {
      const std::shared_ptr<py::object> kept = shared_with_gil(self);
      const std::shared_ptr<client::batch_completion> batch = future.sent().batch;
      without_gil([&] {
        batch->when_done([kept, held] {
          post_callback([kept, held] { fire(*cast(kept->ptr()), When, *held); });
        });
      });
    }
    return Py_NewRef(self);
  } catch (py::error_already_set& raised) {
    raised.restore();
    return nullptr;
  }
}

py::object chain(future_object& self, const py::tuple& args) {
  const py::object target = args[0];
  PyObject* me = reinterpret_cast<PyObject*>(&self);
  const py::object as_object = py::reinterpret_borrow<py::object>(me);
  as_object.attr("add_callback")(target.attr("success"));
  as_object.attr("add_errback")(target.attr("failure"));
  return as_object;
}

// ---- attributes

template <auto Function>
PyObject* getter(PyObject* self, void*) {
  try {
    return py::object(Function(*cast(self))).release().ptr();
  } catch (py::error_already_set& raised) {
    raised.restore();
    return nullptr;
  }
}

py::object is_done(future_object& self) { return py::bool_(self.sent().batch->done()); }

py::object succeeded(future_object& self, const py::tuple&) {
  return py::bool_(self.sent().batch->done() && !self.sent().batch->failure());
}
py::object failed(future_object& self, const py::tuple&) {
  return py::bool_(self.sent().batch->done() && self.sent().batch->failure());
}
py::object retriable(future_object& self, const py::tuple&) {
  const py::object raised = exception_of(self);
  if (raised.is_none()) return py::bool_(false);
  return py::bool_(py::getattr(raised, "retriable", py::bool_(false)).cast<bool>());
}

PyObject* future_get(PyObject* self, PyObject* args, PyObject* kwargs) {
  try {
    return get(*cast(self), py::reinterpret_borrow<py::tuple>(args),
               kwargs == nullptr ? py::dict() : py::reinterpret_borrow<py::dict>(kwargs))
        .release()
        .ptr();
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const std::exception& failure) {
    PyErr_SetString(PyExc_TypeError, failure.what());
  }
  return nullptr;
}

PyCFunction with_keywords(PyCFunctionWithKeywords function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef future_methods[] = {
    {"get", with_keywords(future_get), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"add_callback", with_keywords(add_call<fires::on_success>), METH_VARARGS | METH_KEYWORDS,
     nullptr},
    {"add_errback", with_keywords(add_call<fires::on_failure>), METH_VARARGS | METH_KEYWORDS,
     nullptr},
    {"add_both", with_keywords(add_call<fires::always>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"chain", method<future_object, chain>, METH_VARARGS, nullptr},
    {"succeeded", method<future_object, succeeded>, METH_VARARGS, nullptr},
    {"failed", method<future_object, failed>, METH_VARARGS, nullptr},
    {"retriable", method<future_object, retriable>, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef future_getters[] = {
    {"is_done", getter<is_done>, nullptr, nullptr, nullptr},
    {"value", getter<metadata_of>, nullptr, nullptr, nullptr},
    {"exception", getter<exception_of>, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace

PyObject* make_future(client::sent_record&& sent, PyObject* topic, const record_sizes& sizes) {
  future_object* future = nullptr;
  if (free_future_count > 0) {
    future = free_futures[--free_future_count];
    Py_SET_REFCNT(reinterpret_cast<PyObject*>(future), 1);
  } else {
    future = PyObject_GC_New(future_object, future_type);
    if (future == nullptr) return nullptr;
  }
  future->topic = Py_NewRef(topic);
  future->value = nullptr;
  future->exception = nullptr;
  future->sizes = sizes;
  new (future->sent_bytes) client::sent_record(std::move(sent));
  return reinterpret_cast<PyObject*>(future);
}

void register_future(py::module_& module) {
  PyType_Slot slots[] = {
      {Py_tp_dealloc, slot(future_dealloc)},
      {Py_tp_traverse, slot(future_traverse)},
      {Py_tp_clear, slot(future_clear)},
      {Py_tp_methods, future_methods},
      {Py_tp_getset, future_getters},
      {Py_tp_doc, const_cast<char*>("The outcome of one sent record.")},
      {0, nullptr},
  };
  PyType_Spec spec{"ringlog._native.Future", sizeof(future_object), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                   slots};
  const py::object type = owned(PyType_FromSpec(&spec));
  future_type = reinterpret_cast<PyTypeObject*>(type.ptr());
  Py_INCREF(future_type);  // the free list outlives the module
  module.attr("Future") = type;
}

}  // namespace ringlog::python
