#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "model/record_batch.h"
#include "storage/check/partition_check.h"

namespace ringlog::metadata {

// What decodes the records of an internal topic (__consumer_offsets, __transaction_state,
// __share_group_state) with all their fields; empty for any other topic. Record types that we do
// not know pass.
storage::batch_visitor coordinator_records_check(const std::string& topic);

}  // namespace ringlog::metadata
