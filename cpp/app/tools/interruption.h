#pragma once

#include "base/result.h"
#include "base/task.h"

namespace ringlog::app {

// From now on SIGINT and SIGTERM do not end the process but the wait that it is in.
void catch_interruptions();

// For client::wait_limit: fails with error_code::interrupted after one of them.
callback<status()>& until_interrupted();

bool was_interrupted();

}  // namespace ringlog::app
