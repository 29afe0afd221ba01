#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "broker/types.h"
#include "protocol/stored/group/group_metadata.h"

namespace ringlog::broker {

class classic_group;
struct group_outcome;

// A group's state that is to be appended to __consumer_offsets. `after` runs under the same lock
// as every other call into the group once that is durable or has failed; it may be empty.
struct group_store {
  protocol::group_metadata_value value;
  callback<void(classic_group&, const status&, group_outcome&)> after;
};

// What one call into a group asks of its owner: to give answers once no lock is held, and to append
// at most one record, in the order of the calls.
struct group_outcome {
  std::vector<task> answers;
  std::optional<group_store> store;

  template <typename T>
  void answer(reply<T> done, result<T> value) {
    answers.push_back(
        [done = std::move(done), value = std::move(value)]() mutable { done(std::move(value)); });
  }
};

}  // namespace ringlog::broker
