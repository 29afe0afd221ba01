#pragma once

#include <memory>

#include "base/error.h"
#include "base/result.h"
#include "base/task.h"
#include "storage/log_context.h"
#include "storage/partition_log.h"

// Cutting a log at its end. All on the engine's thread, while no write of the log is under way;
// appends are refused meanwhile, reads go on.
namespace ringlog::storage {

// Takes back all appends that are not durable and answers their waiters with `cause`. The log
// takes appends again afterwards.
void undo_appends(log_context& context, const std::shared_ptr<partition_log>& log,
                  const error& cause);

// Drops everything at and above `end`, files included. With a journal everything is stored first
// and the journal told.
void cut_log(log_context& context, const std::shared_ptr<partition_log>& log, offset_t end,
             callback<void(status)> done);

}  // namespace ringlog::storage
