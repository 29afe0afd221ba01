#include <pthread.h>

#include <array>
#include <atomic>

#include "python.h"
#include "structs.h"

namespace ringlog::python {
namespace {

struct translation {
  error_code code;
  int kafka;         // the number in protocol errors
  const char* name;  // of the exception where it is not simply the one of that number
};

// One line per error_code, in its order.
constexpr std::array translations = {
    translation{error_code::io_error, 56, nullptr},
    translation{error_code::no_space, 56, nullptr},
    translation{error_code::permission_denied, 56, "LogDirUnreadableError"},
    translation{error_code::not_found, 56, "LogDirUnreadableError"},
    translation{error_code::already_exists, 56, "LogDirUnreadableError"},
    translation{error_code::locked, 56, "LogDirLockedError"},
    translation{error_code::unsupported, 35, "LogDirVersionError"},
    translation{error_code::foreign_directory, 56, "LogDirUnreadableError"},
    translation{error_code::storage_failed, 56, nullptr},
    translation{error_code::corrupt, 2, nullptr},
    translation{error_code::invalid_argument, 42, "InvalidArgumentValueError"},
    translation{error_code::invalid_record, 87, nullptr},
    translation{error_code::invalid_timestamp, 32, nullptr},
    translation{error_code::invalid_topic, 17, nullptr},
    translation{error_code::invalid_config, 40, "KafkaConfigurationError"},
    translation{error_code::invalid_partitions, 37, nullptr},
    translation{error_code::invalid_replication_factor, 38, nullptr},
    translation{error_code::invalid_replica_assignment, 39, nullptr},
    translation{error_code::invalid_required_acks, 21, nullptr},
    translation{error_code::message_too_large, 10, nullptr},
    translation{error_code::record_list_too_large, 18, nullptr},
    translation{error_code::unsupported_compression, 76, nullptr},
    translation{error_code::policy_violation, 44, nullptr},
    translation{error_code::offset_out_of_range, 1, nullptr},
    translation{error_code::unknown_topic_or_partition, 3, nullptr},
    translation{error_code::unknown_topic_id, 100, nullptr},
    translation{error_code::topic_already_exists, 36, nullptr},
    translation{error_code::not_leader, 6, nullptr},
    translation{error_code::fenced_leader_epoch, 74, nullptr},
    translation{error_code::unknown_leader_epoch, 75, nullptr},
    translation{error_code::out_of_order_sequence, 45, nullptr},
    translation{error_code::duplicate_sequence, 46, nullptr},
    translation{error_code::invalid_producer_epoch, 47, nullptr},
    translation{error_code::unknown_producer_id, 59, nullptr},
    translation{error_code::invalid_txn_state, 48, nullptr},
    translation{error_code::concurrent_transactions, 51, nullptr},
    translation{error_code::transactional_id_authorization, 53, nullptr},
    translation{error_code::coordinator_loading, 14, nullptr},
    translation{error_code::coordinator_not_available, 15, nullptr},
    translation{error_code::not_coordinator, 16, nullptr},
    translation{error_code::illegal_generation, 22, nullptr},
    translation{error_code::unknown_member_id, 25, nullptr},
    translation{error_code::member_id_required, 79, nullptr},
    translation{error_code::inconsistent_group_protocol, 23, nullptr},
    translation{error_code::invalid_group_id, 24, nullptr},
    translation{error_code::invalid_session_timeout, 26, nullptr},
    translation{error_code::rebalance_in_progress, 27, nullptr},
    translation{error_code::fenced_instance_id, 82, nullptr},
    translation{error_code::group_max_size_reached, 81, nullptr},
    translation{error_code::non_empty_group, 68, nullptr},
    translation{error_code::group_id_not_found, 69, nullptr},
    translation{error_code::group_subscribed_to_topic, 86, nullptr},
    translation{error_code::offset_metadata_too_large, 12, nullptr},
    translation{error_code::unstable_offset_commit, 88, nullptr},
    translation{error_code::timed_out, 7, "KafkaTimeoutError"},
    translation{error_code::no_memory, 7, "KafkaTimeoutError"},
    translation{error_code::interrupted, -1, "WakeupError"},
    translation{error_code::closed, -1, "ClosedError"},
    translation{error_code::internal, -1, nullptr},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < translations.size(); ++i) {
    if (static_cast<std::size_t>(translations[i].code) != i) return false;
  }
  return translations.size() == static_cast<std::size_t>(error_code::internal) + 1;
}
static_assert(in_order(), "one translation per error_code, in the order of the enumeration");

std::atomic<bool> forked{false};

}  // namespace

int kafka_code(error_code code) { return translations[static_cast<std::size_t>(code)].kafka; }

py::object exception_for(const error& failure) {
  const translation& entry = translations[static_cast<std::size_t>(failure.code)];
  const py::object code =
      entry.name != nullptr ? py::object(py::str(entry.name)) : py::object(py::int_(entry.kafka));
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
