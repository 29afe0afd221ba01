#pragma once

#include <memory>

#include "storage/manager_state.h"

namespace ringlog::storage {

// log_manager::close. Any thread; the work is done on the engine's.
void begin_shutdown(const std::shared_ptr<log_manager::state>& manager,
                    callback<void(status)> done);

}  // namespace ringlog::storage
