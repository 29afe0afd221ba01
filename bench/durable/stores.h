#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"

namespace ringlog::bench {

// An embedded store used as a log: each append is one transaction, on stable storage when the call
// returns. One thread.
class store {
 public:
  virtual ~store() = default;
  virtual void append(std::span<const bytes_view> values) = 0;
};

// "sqlite": WAL, synchronous=FULL. "lmdb": sync, MDB_APPEND. "rocksdb": WriteOptions::sync. Skips
// the turn when the program was built without the library.
std::unique_ptr<store> open_store(const std::string& name, const std::string& folder);

std::unique_ptr<store> open_sqlite(const std::string& folder);
std::unique_ptr<store> open_lmdb(const std::string& folder);
std::unique_ptr<store> open_rocksdb(const std::string& folder);

}  // namespace ringlog::bench
