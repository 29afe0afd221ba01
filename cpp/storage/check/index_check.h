#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "model/record_batch.h"
#include "storage/check/check_report.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace ringlog::storage {

// What is wrong with an index file: the first wrong entry, or the file as a whole.
struct index_fault {
  std::string path;
  std::optional<std::int64_t> position;
  std::optional<offset_t> offset;
  std::string text;
};

// Holds the index files of one segment against its batches, which it is shown in order. One fault
// per file is kept. On its caller's stack.
class index_check {
 public:
  index_check(io::file_system& disk, std::string directory, offset_t base);

  // Reads the three files. Failures are those of reading; what is wrong in a file is a fault.
  status load(std::int64_t log_bytes);

  void take(const model::batch_header_view& batch, std::int64_t position);

  // All batches were shown. `aborted` are the transactions whose abort markers lie in the segment,
  // none where they cannot be told; with `complete` the time index has to reach the end.
  void finish(const std::vector<aborted_range>* aborted, bool complete);

  const std::vector<index_fault>& faults() const { return faults_; }
  bool lacks_files() const { return lacks_files_; }

 private:
  std::string path(std::string_view suffix) const;
  result<std::optional<byte_buffer>> read(std::string_view suffix);
  void take_offsets(const model::batch_header_view& batch, std::int64_t position);
  void take_times(const model::batch_header_view& batch);
  void fault(std::string_view suffix, std::size_t number, std::size_t entry_bytes, offset_t offset,
             std::string text);
  void fault(std::string_view suffix, std::string text);
  bool is_faulty(std::string_view suffix) const;

  io::file_system& disk_;
  const std::string directory_;
  const offset_t base_;
  std::optional<offset_index> offsets_;
  std::optional<time_index> times_;
  std::optional<transaction_index> transactions_;
  std::size_t next_position_ = 0;  // the first offset entry whose position was not seen yet
  std::size_t next_offset_ = 0;    // the same for its offset
  std::size_t next_time_ = 0;
  std::int64_t max_timestamp_ = no_timestamp;
  std::vector<index_fault> faults_;
  bool lacks_files_ = false;
};

}  // namespace ringlog::storage
