#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "io/engine.h"
#include "io/file.h"
#include "storage/services.h"

namespace ringlog::storage {

// The journal's files: each of a fixed size, written over with zeros before its first use (a write
// into blocks that were never written costs the file system a transaction) and used again from its
// start when nothing in it is needed any more. Files are live, in the order of use, the last of
// them being filled; or free. Owned by the journal; engine thread, but for open().
class journal_files {
 public:
  static constexpr std::string_view suffix = ".journal";

  journal_files(services outside, std::string directory, std::int64_t bytes_max)
      : outside_(outside), directory_(std::move(directory)), bytes_max_(bytes_max) {}

  struct journal_file {
    std::uint32_t number;
    std::int64_t bytes;
    std::unique_ptr<io::file> opened;
    std::uint64_t last_sequence = 0;  // the newest block in it; 0 when it holds none
  };

  // Opens what lies in the folder, which is there. All files are free then.
  status open();

  // For recovery, which then says by number which are live, the oldest first, where the last of
  // them goes on, and after which block.
  std::vector<journal_file*> all();
  void set_live(const std::vector<std::uint32_t>& numbers, std::int64_t position,
                std::uint64_t last_sequence);

  struct block_place {
    journal_file* file;
    std::int64_t position;
    std::size_t bytes;  // without the padding
    std::uint64_t sequence;
  };
  // Makes blocks durable that recovery could read and that nothing proves to be: their owner may
  // have been killed between the write and its flush; or the flush failed, and the page cache shows
  // what the disk does not have and no later flush would write. So they are written anew, in place.
  // Blocks.
  status write_again(const std::deque<block_place>& blocks);

  // Makes a first file when there is none. Blocks.
  status ensure_one();

  struct place {
    io::file* target;
    std::uint64_t position;
  };
  // Room for the next block; nothing when a file must be made or freed first.
  std::optional<place> take(std::size_t bytes, std::uint64_t sequence);

  // Frees the files whose blocks all come before `first_needed`; they are complete.
  void release_before(std::uint64_t first_needed);

  // What live blocks take, the unused end of a full file included.
  std::int64_t live_bytes() const;

  // Begins to make another file when no free one is left and the bound allows it; `done` when it
  // can be used. Not again for a while after a failure.
  void prepare_next(callback<void(status)> done);

  // Removes all but one file of the first size. Nothing is live then.
  status shrink();

 private:
  class preparation;

  std::string path_of(std::uint32_t number) const;
  std::int64_t total_bytes() const;
  std::int64_t next_size() const;

  services outside_;
  const std::string directory_;
  const std::int64_t bytes_max_;
  std::deque<std::unique_ptr<journal_file>> live_;
  std::deque<std::unique_ptr<journal_file>> free_;
  std::int64_t position_ = 0;  // in the last live file
  std::uint32_t next_number_ = 1;
  std::shared_ptr<preparation> preparing_;
  monotonic_time next_try_{};  // after a preparation that failed
};

}  // namespace ringlog::storage
