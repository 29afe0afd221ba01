#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "turn.h"

namespace ringlog::bench {

// A file whose blocks have all been written before, for O_DIRECT where the file system has it:
// what the disk gives without any log. Removed at the end. Writes go round and round in it.
class raw_file {
 public:
  raw_file(const std::string& folder, std::int64_t size);
  ~raw_file();
  raw_file(const raw_file&) = delete;
  raw_file& operator=(const raw_file&) = delete;

  int descriptor() const { return descriptor_; }
  bool direct() const { return direct_; }
  std::int64_t size() const { return size_; }

  // Where the next block goes.
  std::int64_t next(std::int64_t block);

 private:
  const std::string path_;
  const std::int64_t size_;
  int descriptor_ = -1;
  bool direct_ = true;
  std::int64_t position_ = 0;
};

// A page-aligned buffer of random bytes.
class aligned_buffer {
 public:
  explicit aligned_buffer(std::size_t size);
  ~aligned_buffer();
  aligned_buffer(const aligned_buffer&) = delete;
  aligned_buffer& operator=(const aligned_buffer&) = delete;

  std::byte* data() { return data_; }
  std::size_t size() const { return size_; }

 private:
  const std::size_t size_;
  std::byte* data_;
};

// The device's flush time at this moment: blocking durable writes of 4 KiB into a prewritten file.
// Every row of every table states it.
void report_raw_flush(const parameters& given, report& figures);

}  // namespace ringlog::bench
