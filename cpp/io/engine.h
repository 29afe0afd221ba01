#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/executor.h"
#include "base/result.h"
#include "io/file.h"

namespace ringlog::io {

// The completion engine: an executor whose thread also drives file operations. Operations are
// submitted on its own thread only (from a task or a completion); completions run there too, one
// after another, never inside submit. Two in production (io_uring; epoll with a small thread
// pool), one in simulation. The caller keeps file and bytes alive until the completion ran.
class engine : public executor {
 public:
  using completion = callback<void(status)>;
  using read_completion = callback<void(result<std::size_t>)>;

  // Writes all parts one after another from `position` on; with `durable` they and the file's
  // size are on stable storage when the completion says success.
  virtual void write(file& target, std::uint64_t position, std::vector<bytes_view> parts,
                     bool durable, completion done) = 0;

  // As file::sync.
  virtual void sync(file& target, completion done) = 0;

  // As file::read_at.
  virtual void read(file& source, std::uint64_t position, mutable_bytes target,
                    read_completion done) = 0;

  // Runs `work`, which may block for long, on a thread that is there for such work, one after
  // another, and its answer's completion as all others.
  virtual void run_blocking(callback<status()> work, completion done) = 0;

  // "io_uring", "epoll" or "simulation".
  virtual std::string_view name() const = 0;
};

}  // namespace ringlog::io
