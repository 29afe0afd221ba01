#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"

namespace ringlog::sim {

// One partition as a client of the simulation reaches it: storage's log itself, or through the
// broker. Lives for one boot; answers of a boot that crashed never come.
class log_port {
 public:
  virtual ~log_port() = default;

  struct appended {
    std::int64_t base_offset = -1;
    bool duplicate = false;
  };

  // Answers when the batch is acknowledged.
  virtual void append(byte_buffer batch, callback<void(result<appended>)> done) = 0;

  // Answers the new start of the log.
  virtual void delete_records(std::int64_t before, callback<void(result<std::int64_t>)> done) = 0;

  struct bounds {
    std::int64_t start = 0;
    std::int64_t end = 0;
  };
  virtual result<bounds> ask_bounds() = 0;

  // Whole batches; the first may begin before `from`.
  virtual result<std::vector<shared_bytes>> read(std::int64_t from, std::int64_t bytes_max) = 0;
};

}  // namespace ringlog::sim
