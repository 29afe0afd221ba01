#include <pthread.h>

#include <atomic>

#include "model/kafka_error.h"
#include "python.h"
#include "structs.h"

namespace ringlog::python {
namespace {

// Of the exceptions that are not simply the one of Kafka's number.
const char* exception_name(error_code code) {
  switch (code) {
    case error_code::permission_denied:
    case error_code::not_found:
    case error_code::already_exists:
    case error_code::foreign_directory:
      return "LogDirUnreadableError";
    case error_code::locked:
      return "LogDirLockedError";
    case error_code::unsupported:
      return "LogDirVersionError";
    case error_code::invalid_argument:
      return "InvalidArgumentValueError";
    case error_code::invalid_config:
      return "KafkaConfigurationError";
    case error_code::timed_out:
    case error_code::no_memory:
      return "KafkaTimeoutError";
    case error_code::interrupted:
      return "WakeupError";
    case error_code::closed:
      return "ClosedError";
    default:
      return nullptr;
  }
}

std::atomic<bool> forked{false};

}  // namespace

int kafka_code(error_code code) { return static_cast<int>(model::to_kafka(code)); }

py::object exception_for(const error& failure) {
  const char* name = exception_name(failure.code);
  const py::object code =
      name != nullptr ? py::object(py::str(name)) : py::object(py::int_(kafka_code(failure.code)));
  return registered().make_error(code, text(failure.message));
}

void raise(const error& failure) {
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();  // a signal handler's or a hook's
  const py::object raised = exception_for(failure);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
  throw py::error_already_set();
}

void raise_named(const char* name, const std::string& message) {
  const py::object raised = registered().make_error(name, text(message));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
  throw py::error_already_set();
}

callback<status()>& check_signals() {
  static callback<status()> check = []() -> status {
    const py::gil_scoped_acquire acquired;
    if (PyErr_CheckSignals() == 0) return {};
    return make_error(error_code::interrupted, "a signal handler raised");
  };
  return check;
}

std::shared_ptr<py::object> shared_with_gil(py::handle object) {
  return {new py::object(py::reinterpret_borrow<py::object>(object)), [](py::object* held) {
            const py::gil_scoped_acquire acquired;
            delete held;
          }};
}

bool in_forked_child() { return forked.load(std::memory_order_relaxed); }

void raise_forked() {
  raise_named("ForkedProcessError",
              "this process was forked after ringlog opened a log: the log belongs to the parent. "
              "Fork first and open afterwards, or start workers with multiprocessing's 'spawn'");
}

void register_errors(py::module_&) {
  pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
}

}  // namespace ringlog::python
