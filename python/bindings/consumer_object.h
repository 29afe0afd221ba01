#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>

#include "client/consumer.h"
#include "lifetime.h"
#include "python.h"
#include "record.h"

namespace ringlog::python {

struct deserializer {
  py::object function;  // none: bytes as they are
  int arity = 1;        // 1: f(bytes); 3: f(topic, headers, bytes)

  explicit operator bool() const { return function.ptr() != nullptr && !function.is_none(); }
};

// What a Consumer object holds. Under the GIL, but for `core` while a call is inside.
struct consumer_state {
  std::shared_ptr<client::consumer> core;
  client::consumer_options options;
  milliseconds consumer_timeout{0};
  std::int64_t max_poll_records = 500;
  deserializer key_deserializer;
  deserializer value_deserializer;
  std::unique_ptr<open_client> ending;
  bool closed = false;

  // One thread at a time: the one that released the GIL inside a call, and how deep it is.
  unsigned long inside_thread = 0;
  int inside_depth = 0;

  struct partition_names {
    std::weak_ptr<client::partition_reading> reading;
    py::object topic;
    py::object partition;
    py::object source;
  };
  static constexpr std::size_t names_max = 10'000;
  std::unordered_map<const client::partition_reading*, partition_names> names;
  batch_context* context = nullptr;  // of the batch that records are taken from

  bool inside_elsewhere() const {
    return inside_depth > 0 && inside_thread != PyThread_get_thread_ident();
  }

  // Raises when closed, forked, or another thread is inside.
  void check() const;

  void drop_context() {
    if (context != nullptr) std::exchange(context, nullptr)->release();
  }
  ~consumer_state() { drop_context(); }
};

struct consumer_object {
  PyObject_HEAD consumer_state* state;  // nullptr until __init__

  consumer_state& checked();
};

// While it lives, other threads are refused.
class entered {
 public:
  explicit entered(consumer_state& state) : state_(state) {
    state_.inside_thread = PyThread_get_thread_ident();
    ++state_.inside_depth;
  }
  ~entered() { --state_.inside_depth; }
  entered(const entered&) = delete;
  entered& operator=(const entered&) = delete;

 private:
  consumer_state& state_;
};

PyObject* consumer_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);
int consumer_init(PyObject* self, PyObject* args, PyObject* kwargs);
void consumer_dealloc(PyObject* self);
int consumer_traverse(PyObject* self, visitproc visit, void* arg);
int consumer_clear(PyObject* self);

}  // namespace ringlog::python
