#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/result.h"
#include "client/wait.h"

// What every file of the module shares: the GIL policy, raising errors, small conversions.
//
// The GIL policy: no wait with the GIL held, no mutex held while taking it. A call that may block
// runs its blocking part in without_gil(); the wait asks check_signals() at least every 100 ms, so
// that Ctrl-C ends it. C++ failures come back as result<T> and are raised here, and only here.
namespace ringlog::python {

namespace py = pybind11;

// Runs `work` with the GIL released and returns what it returns.
template <typename Work>
auto without_gil(Work&& work) {
  const py::gil_scoped_release released;
  return std::forward<Work>(work)();
}

// For wait_limit::interrupted: lets pending signal handlers run. When one raised, its exception
// stays set in this thread and the wait ends with error_code::interrupted.
callback<status()>& check_signals();

// Raises the failure as the Python exception that fits it (see errors.cc for the table); the
// exception of a signal handler that ended the wait goes first.
[[noreturn]] void raise(const error& failure);

// Raises an exception of ringlog.errors, or a builtin one, by name.
[[noreturn]] void raise_named(const char* name, const std::string& message);

template <typename T>
T value_or_raise(result<T> outcome) {
  if (!outcome.ok()) raise(outcome.failure());
  return std::move(outcome).value();
}
inline void raise_if_failed(const status& outcome) {
  if (!outcome.ok()) raise(outcome.failure());
}

// The exception instance for a failure, without raising it.
py::object exception_for(const error& failure);

// Kafka's number for a failure, as administrative answers carry it; 0 for none.
int kafka_code(error_code code);

// Steals: wraps a new reference, or throws what Python has set.
inline py::object owned(PyObject* created) {
  if (created == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(created);
}

inline py::str text(std::string_view value) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "replace"));
}

inline py::object bytes_or_none(std::optional<bytes_view> value) {
  if (!value) return py::none();
  return py::bytes(reinterpret_cast<const char*>(value->data()), value->size());
}

// A Python object that C++ code may copy and drop without the GIL: the last owner takes it.
std::shared_ptr<py::object> shared_with_gil(py::handle object);

// A PyCFunction (METH_VARARGS) over Function(self&, args): exceptions become Python's.
template <typename Self, auto Function>
PyObject* method(PyObject* self, PyObject* arguments) {
  try {
    return py::object(Function(*reinterpret_cast<Self*>(self),
                               py::reinterpret_borrow<py::tuple>(arguments)))
        .release()
        .ptr();
  } catch (py::error_already_set& raised) {
    raised.restore();
  } catch (const std::exception& failure) {  // conversions by pybind11
    PyErr_SetString(PyExc_TypeError, failure.what());
  }
  return nullptr;
}

// True in a forked child: the node's threads are not there, so nothing may touch it.
bool in_forked_child();
[[noreturn]] void raise_forked();
inline void check_not_forked() {
  if (in_forked_child()) [[unlikely]]
    raise_forked();
}

// A function as PyType_Slot wants it.
template <typename Function>
void* slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

// Options dictionaries, as the Python package validated them.
template <typename T>
T option(const py::dict& options, const char* name) {
  const py::object value = options[name];
  return value.cast<T>();
}
template <typename T>
std::optional<T> optional_option(const py::dict& options, const char* name) {
  const py::object value = options[name];
  if (value.is_none()) return std::nullopt;
  return value.cast<T>();
}

// Each adds its part to the module.
void register_errors(py::module_& module);
void register_structs(py::module_& module);
void register_lifetime(py::module_& module);
void register_record(py::module_& module);
void register_future(py::module_& module);
void register_producer(py::module_& module);
void register_consumer(py::module_& module);
void register_admin(py::module_& module);

}  // namespace ringlog::python
