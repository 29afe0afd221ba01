#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
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

  // Answers when the batch is acknowledged; within the call when it is refused for lack of room.
  virtual void append(byte_buffer batch, callback<void(result<appended>)> done) = 0;

  // Answers the new start of the log.
  virtual void delete_records(std::int64_t before, callback<void(result<std::int64_t>)> done) = 0;

  // Drops the records from `end` on. Storage only.
  virtual void truncate_to(std::int64_t end, callback<void(status)> done) = 0;

  struct bounds {
    std::int64_t start = 0;
    std::int64_t end = 0;
  };
  virtual result<bounds> ask_bounds() = 0;

  // Up to where consumers see records; that far they are promised to stay.
  virtual result<std::int64_t> ask_high_watermark() = 0;

  // Whole batches; the first may begin before `from`.
  virtual result<std::vector<shared_bytes>> read(std::int64_t from, std::int64_t bytes_max) = 0;
};

// The values of all records within the bounds, in pieces of any size. error_code::corrupt for half
// a batch, a gap, a wrong checksum.
status read_records(log_port& log, const log_port::bounds& bounds, random_source& random,
                    std::vector<std::string>& values);

}  // namespace ringlog::sim
