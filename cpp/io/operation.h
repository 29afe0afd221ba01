#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "io/engine.h"

namespace ringlog::io {

// One read, write or sync on its way through an engine: what is left to do, and whom to tell.
// Owned by the loop, then by the engine while the kernel or the pool works on it. A durable write
// to a file that does not take them goes on as a write, then as a sync.
class operation {
 public:
  enum class kind : std::uint8_t { write, durable_write, sync, read };

  static std::unique_ptr<operation> make_write(file& target, std::uint64_t position,
                                               const std::vector<bytes_view>& parts, bool durable,
                                               engine::completion done);
  static std::unique_ptr<operation> make_sync(file& target, engine::completion done);
  static std::unique_ptr<operation> make_read(file& source, std::uint64_t position,
                                              mutable_bytes target, engine::read_completion done);

  // What to ask of the kernel next.
  kind what() const { return kind_; }
  int descriptor() const { return file_->descriptor(); }
  std::size_t bytes_left() const;
  bool wants_trial() const { return kind_ == kind::durable_write && file_->wants_trial(); }
  bool is_empty() const { return kind_ != kind::sync && left_.empty(); }

  // The next system call's arguments: where, and at most IOV_MAX of the parts that are left.
  std::uint64_t position() const { return position_; }
  const iovec* parts() const { return left_.data() + first_left_; }
  unsigned part_count() const;
  int write_flags() const;  // RWF_DSYNC for a durable write

  // Takes what the system call said: bytes done, or -errno. True when the operation is over; else
  // it is to be issued again for what is left (short transfer, interruption, the
  // next step).
  bool absorb(std::int64_t outcome);

  // Does all of it in the calling thread, by pwritev2, preadv and fdatasync.
  void run_blocking();

  // Does all of it through the file's own calls: for files that live in memory.
  void run_by_file();

  // Tells the caller; once, after the operation is over.
  void complete();

 private:
  operation(kind what, file& target, std::uint64_t position);

  void add_part(const std::byte* data, std::size_t size);
  void advance(std::size_t size);
  void write_and_sync();
  std::int64_t call() const;
  status run_by_file_steps();

  kind kind_;
  bool syncs_at_end_ = false;
  file* file_;
  std::uint64_t position_;
  std::vector<iovec> left_;
  std::size_t first_left_ = 0;
  std::size_t bytes_done_ = 0;
  int retries_ = 0;
  std::optional<error> failure_;
  engine::completion done_;
  engine::read_completion read_done_;
};

}  // namespace ringlog::io
