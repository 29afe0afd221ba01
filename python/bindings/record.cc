#include "record.h"

#include <array>

#include "structs.h"

namespace ringlog::python {
namespace {

enum field : Py_ssize_t {
  field_topic,
  field_partition,
  field_leader_epoch,
  field_offset,
  field_timestamp,
  field_timestamp_type,
  field_key,
  field_value,
  field_headers,
  field_checksum,
  field_key_size,
  field_value_size,
  field_header_size,
  field_count,
};

constexpr std::array field_names = {
    "topic",
    "partition",
    "leader_epoch",
    "offset",
    "timestamp",
    "timestamp_type",
    "key",
    "value",
    "headers",
    "checksum",
    "serialized_key_size",
    "serialized_value_size",
    "serialized_header_size",
};
static_assert(field_names.size() == field_count);

// A record comes from a batch (context set) or from its constructor (fields set). Only records
// that hold objects other than bytes can be part of a reference cycle; only those are tracked by
// the garbage collector.
struct record_object {
  PyObject_HEAD batch_context* context;
  PyObject* fields;  // a tuple of 13, or nullptr
  PyObject* key;     // made so far, or nullptr
  PyObject* value;
  PyObject* headers;
  std::int64_t offset;
  std::int64_t timestamp;
  const std::byte* key_data;
  const std::byte* value_data;
  const std::byte* header_data;
  std::int32_t key_size;  // -1: null
  std::int32_t value_size;
  std::int32_t header_bytes;
  std::int32_t header_count;
};

PyTypeObject* record_type = nullptr;

// Records come and go one at a time in a loop: their memory is kept for the next one.
constexpr std::size_t free_records_max = 256;
std::array<record_object*, free_records_max> free_records;
std::size_t free_record_count = 0;

record_object* cast(PyObject* self) { return reinterpret_cast<record_object*>(self); }

void clear_contents(record_object* record) {
  Py_CLEAR(record->fields);
  Py_CLEAR(record->key);
  Py_CLEAR(record->value);
  Py_CLEAR(record->headers);
  if (record->context != nullptr) std::exchange(record->context, nullptr)->release();
}

void record_dealloc(PyObject* self) {
  record_object* record = cast(self);
  if (PyObject_GC_IsTracked(self)) PyObject_GC_UnTrack(self);
  clear_contents(record);
  if (Py_TYPE(self) == record_type && free_record_count < free_records_max) {
    free_records[free_record_count++] = record;
    return;  // keeps its reference to the type
  }
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

int record_traverse(PyObject* self, visitproc visit, void* arg) {
  record_object* record = cast(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(record->fields);
  Py_VISIT(record->key);
  Py_VISIT(record->value);
  Py_VISIT(record->headers);
  return 0;
}

int record_clear(PyObject* self) {
  clear_contents(cast(self));
  return 0;
}

record_object* new_record() {
  if (free_record_count > 0) {
    record_object* record = free_records[--free_record_count];
    Py_SET_REFCNT(reinterpret_cast<PyObject*>(record), 1);
    return record;
  }
  auto* record = PyObject_GC_New(record_object, record_type);
  if (record == nullptr) return nullptr;
  record->context = nullptr;
  record->fields = record->key = record->value = record->headers = nullptr;
  return record;
}

void track(record_object* record) {
  auto* object = reinterpret_cast<PyObject*>(record);
  if (!PyObject_GC_IsTracked(object)) PyObject_GC_Track(object);
}

PyObject* lazy_bytes(PyObject** place, const std::byte* data, std::int32_t size) {
  if (*place == nullptr) {
    if (size < 0) Py_RETURN_NONE;
    *place = PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data), size);
    if (*place == nullptr) return nullptr;
  }
  return Py_NewRef(*place);
}

PyObject* lazy_headers(record_object* record) {
  if (record->headers == nullptr) {
    try {
      model::record_view view;
      view.header_count = record->header_count;
      view.header_bytes = {record->header_data, static_cast<std::size_t>(record->header_bytes)};
      record->headers = headers_to_list(view).release().ptr();
    } catch (py::error_already_set& raised) {
      raised.restore();
      return nullptr;
    }
    track(record);
  }
  return Py_NewRef(record->headers);
}

PyObject* header_size(const record_object* record) {
  if (record->header_count == 0) return PyLong_FromLong(-1);
  std::size_t size = 0;
  model::record_header_iterator headers(
      {record->header_data, static_cast<std::size_t>(record->header_bytes)}, record->header_count);
  for (model::record_header_view header; headers.next(header);) {
    size += header.key.size() + (header.value ? header.value->size() : 0);
  }
  return PyLong_FromSize_t(size);
}

PyObject* get_field(record_object* record, Py_ssize_t which) {
  if (record->fields != nullptr) return Py_NewRef(PyTuple_GET_ITEM(record->fields, which));
  batch_context* context = record->context;
  if (context == nullptr) {  // cleared by the garbage collector
    PyErr_SetString(PyExc_ReferenceError, "the record is being destroyed");
    return nullptr;
  }
  switch (which) {
    case field_topic:
      return Py_NewRef(context->topic.ptr());
    case field_partition:
      return Py_NewRef(context->partition.ptr());
    case field_leader_epoch:
      return Py_NewRef(context->leader_epoch.ptr());
    case field_offset:
      return PyLong_FromLongLong(record->offset);
    case field_timestamp:
      return PyLong_FromLongLong(record->timestamp);
    case field_timestamp_type:
      return Py_NewRef(context->timestamp_type.ptr());
    case field_key:
      return lazy_bytes(&record->key, record->key_data, record->key_size);
    case field_value:
      return lazy_bytes(&record->value, record->value_data, record->value_size);
    case field_headers:
      return lazy_headers(record);
    case field_key_size:
      return PyLong_FromLong(record->key_size);
    case field_value_size:
      return PyLong_FromLong(record->value_size);
    case field_header_size:
      return header_size(record);
    default:
      Py_RETURN_NONE;  // the checksum of a v2 record
  }
}

PyObject* record_get(PyObject* self, void* which) {
  return get_field(cast(self), static_cast<Py_ssize_t>(reinterpret_cast<std::intptr_t>(which)));
}

PyObject* as_tuple(PyObject* self) {
  record_object* record = cast(self);
  if (record->fields != nullptr) return Py_NewRef(record->fields);
  PyObject* tuple = PyTuple_New(field_count);
  if (tuple == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < field_count; ++i) {
    PyObject* value = get_field(record, i);
    if (value == nullptr) {
      Py_DECREF(tuple);
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, i, value);
  }
  return tuple;
}

// Calls with the record's fields as a real tuple.
template <typename Use>
PyObject* with_tuple(PyObject* self, Use&& use) {
  PyObject* tuple = as_tuple(self);
  if (tuple == nullptr) return nullptr;
  PyObject* result = use(tuple);
  Py_DECREF(tuple);
  return result;
}

Py_ssize_t record_length(PyObject*) { return field_count; }

PyObject* record_item(PyObject* self, Py_ssize_t index) {
  if (index < 0 || index >= field_count) {
    PyErr_SetString(PyExc_IndexError, "ConsumerRecord index out of range");
    return nullptr;
  }
  return get_field(cast(self), index);
}

PyObject* record_subscript(PyObject* self, PyObject* key) {
  return with_tuple(self, [key](PyObject* tuple) { return PyObject_GetItem(tuple, key); });
}

PyObject* record_iter(PyObject* self) {
  return with_tuple(self, [](PyObject* tuple) { return PyObject_GetIter(tuple); });
}

Py_hash_t record_hash(PyObject* self) {
  PyObject* tuple = as_tuple(self);
  if (tuple == nullptr) return -1;
  const Py_hash_t hash = PyObject_Hash(tuple);
  Py_DECREF(tuple);
  return hash;
}

PyObject* record_compare(PyObject* self, PyObject* other, int operation) {
  if (!PyObject_TypeCheck(other, record_type) && !PyTuple_Check(other)) Py_RETURN_NOTIMPLEMENTED;
  return with_tuple(self, [&](PyObject* tuple) -> PyObject* {
    if (PyTuple_Check(other)) return PyObject_RichCompare(tuple, other, operation);
    return with_tuple(
        other, [&](PyObject* right) { return PyObject_RichCompare(tuple, right, operation); });
  });
}

PyObject* record_repr(PyObject* self) {
  try {
    std::string inside;
    for (Py_ssize_t i = 0; i < field_count; ++i) {
      const py::object value = owned(get_field(cast(self), i));
      if (i > 0) inside += ", ";
      inside += field_names[static_cast<std::size_t>(i)];
      inside += '=';
      inside += py::repr(value).cast<std::string>();
    }
    return text("ConsumerRecord(" + inside + ")").release().ptr();
  } catch (py::error_already_set& raised) {
    raised.restore();
    return nullptr;
  }
}

PyObject* record_from_tuple(PyTypeObject* type, PyObject* tuple) {  // steals
  auto* record = reinterpret_cast<record_object*>(type->tp_alloc(type, 0));
  if (record == nullptr) {
    Py_DECREF(tuple);
    return nullptr;
  }
  record->fields = tuple;
  return reinterpret_cast<PyObject*>(record);
}

PyObject* record_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  const Py_ssize_t given = PyTuple_GET_SIZE(args);
  const Py_ssize_t named = kwargs == nullptr ? 0 : PyDict_GET_SIZE(kwargs);
  if (given + named != field_count) {
    PyErr_Format(PyExc_TypeError, "ConsumerRecord has 13 fields, %zd were given", given + named);
    return nullptr;
  }
  PyObject* tuple = PyTuple_New(field_count);
  if (tuple == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < field_count; ++i) {
    PyObject* value = i < given
                          ? PyTuple_GET_ITEM(args, i)
                          : PyDict_GetItemString(kwargs, field_names[static_cast<std::size_t>(i)]);
    if (value == nullptr) {
      PyErr_Format(PyExc_TypeError, "ConsumerRecord: the field '%s' is missing",
                   field_names[static_cast<std::size_t>(i)]);
      Py_DECREF(tuple);
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, i, Py_NewRef(value));
  }
  return record_from_tuple(type, tuple);
}

PyObject* record_make(PyObject* type, PyObject* iterable) {
  PyObject* tuple = PySequence_Tuple(iterable);
  if (tuple == nullptr) return nullptr;
  PyObject* record = record_new(reinterpret_cast<PyTypeObject*>(type), tuple, nullptr);
  Py_DECREF(tuple);
  return record;
}

PyObject* record_asdict(PyObject* self, PyObject*) {
  try {
    py::dict fields;
    for (Py_ssize_t i = 0; i < field_count; ++i) {
      fields[field_names[static_cast<std::size_t>(i)]] = owned(get_field(cast(self), i));
    }
    return fields.release().ptr();
  } catch (py::error_already_set& raised) {
    raised.restore();
    return nullptr;
  }
}

PyObject* record_replace(PyObject* self, PyObject*, PyObject* kwargs) {
  PyObject* fields = record_asdict(self, nullptr);
  if (fields == nullptr) return nullptr;
  PyObject* result = nullptr;
  if (kwargs == nullptr || PyDict_Update(fields, kwargs) == 0) {
    PyObject* empty = PyTuple_New(0);
    result = record_new(Py_TYPE(self), empty, fields);
    Py_DECREF(empty);
  }
  Py_DECREF(fields);
  return result;
}

PyObject* record_reduce(PyObject* self, PyObject*) {
  PyObject* fields = as_tuple(self);
  if (fields == nullptr) return nullptr;
  return Py_BuildValue("(ON)", Py_TYPE(self), fields);
}

PyMethodDef record_methods[] = {
    {"_asdict", record_asdict, METH_NOARGS, "The fields as a dict."},
    {"_replace", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(record_replace)),
     METH_VARARGS | METH_KEYWORDS, "A copy with some fields replaced."},
    {"_make", record_make, METH_O | METH_CLASS, "A record from 13 values."},
    {"__reduce__", record_reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

std::array<PyGetSetDef, field_count + 1> record_getters = [] {
  std::array<PyGetSetDef, field_count + 1> getters{};
  for (std::size_t i = 0; i < field_count; ++i) {
    getters[i] = {field_names[i], record_get, nullptr, nullptr, reinterpret_cast<void*>(i)};
  }
  return getters;
}();

}  // namespace

PyObject* make_record(batch_context* context, const model::record_view& view, PyObject* key,
                      PyObject* value) {
  record_object* record = new_record();
  if (record == nullptr) {
    Py_XDECREF(key);
    Py_XDECREF(value);
    return nullptr;
  }
  context->retain();
  record->context = context;
  record->offset = view.offset.value();
  record->timestamp = view.timestamp;
  record->key_data = view.key ? view.key->data() : nullptr;
  record->key_size = view.key ? static_cast<std::int32_t>(view.key->size()) : -1;
  record->value_data = view.value ? view.value->data() : nullptr;
  record->value_size = view.value ? static_cast<std::int32_t>(view.value->size()) : -1;
  record->header_data = view.header_bytes.data();
  record->header_bytes = static_cast<std::int32_t>(view.header_bytes.size());
  record->header_count = view.header_count;
  record->key = key;
  record->value = value;
  if (key != nullptr || value != nullptr) track(record);
  return reinterpret_cast<PyObject*>(record);
}

py::list headers_to_list(const model::record_view& record) {
  py::list list;
  model::record_header_iterator headers = record.headers();
  for (model::record_header_view header; headers.next(header);) {
    list.append(py::make_tuple(text(header.key), bytes_or_none(header.value)));
  }
  raise_if_failed(headers.outcome());
  return list;
}

void register_record(py::module_& module) {
  PyType_Slot slots[] = {
      {Py_tp_dealloc, slot(record_dealloc)},
      {Py_tp_traverse, slot(record_traverse)},
      {Py_tp_clear, slot(record_clear)},
      {Py_tp_new, slot(record_new)},
      {Py_tp_repr, slot(record_repr)},
      {Py_tp_hash, slot(record_hash)},
      {Py_tp_richcompare, slot(record_compare)},
      {Py_tp_iter, slot(record_iter)},
      {Py_tp_methods, record_methods},
      {Py_tp_getset, record_getters.data()},
      {Py_sq_length, slot(record_length)},
      {Py_sq_item, slot(record_item)},
      {Py_mp_length, slot(record_length)},
      {Py_mp_subscript, slot(record_subscript)},
      {Py_tp_doc, const_cast<char*>("A record as a consumer sees it; a lazily made namedtuple.")},
      {0, nullptr},
  };
  PyType_Spec spec{"ringlog._native.ConsumerRecord", sizeof(record_object), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};
  const py::object type = owned(PyType_FromSpec(&spec));
  record_type = reinterpret_cast<PyTypeObject*>(type.ptr());
  Py_INCREF(record_type);  // the free list outlives the module
  py::tuple names(static_cast<std::size_t>(field_count));
  for (std::size_t i = 0; i < field_count; ++i) names[i] = field_names[i];
  type.attr("_fields") = names;
  module.attr("ConsumerRecord") = type;
}

}  // namespace ringlog::python
