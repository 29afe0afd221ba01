#pragma once

#include "base/task.h"

namespace ringlog::python {

// Runs Python callbacks: one thread per process, started at the first use, with a queue in front.
// The engine's threads post here and never touch Python. A task is run with the GIL held; what it
// raises is logged. Any thread may post, with or without the GIL; after stop_callbacks tasks are
// dropped without being run.
void post_callback(task work);

// True on the callback thread: a wait there for another callback would never end.
bool on_callback_thread();

// Runs what is queued, then ends the thread; waits at most a few seconds. Without the GIL.
void stop_callbacks();

}  // namespace ringlog::python
