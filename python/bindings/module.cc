#include "python.h"

// The extension module `ringlog._native`. The package ringlog validates options and shapes
// results; here is what touches records, time, threads and the broker.
PYBIND11_MODULE(_native, module) {
  using namespace ringlog::python;
  module.attr("version") = RINGLOG_VERSION;
  register_errors(module);
  register_structs(module);
  register_lifetime(module);
  register_record(module);
  register_future(module);
  register_producer(module);
  register_consumer(module);
  register_admin(module);
}
