#include <fmt/format.h>
#include <rocksdb/c.h>

#include "base/endian.h"
#include "stores.h"
#include "turn.h"

namespace ringlog::bench {
namespace {

void check(const char* failure) {
  if (failure != nullptr) fail(fmt::format("RocksDB: {}", failure));
}

class rocksdb_store final : public store {
 public:
  explicit rocksdb_store(const std::string& folder) {
    ::rocksdb_options_set_create_if_missing(options_, 1);
    ::rocksdb_writeoptions_set_sync(write_options_, 1);
    char* failure = nullptr;
    db_ = ::rocksdb_open(options_, folder.c_str(), &failure);
    check(failure);
  }
  ~rocksdb_store() override {
    ::rocksdb_writebatch_destroy(batch_);
    ::rocksdb_close(db_);
    ::rocksdb_writeoptions_destroy(write_options_);
    ::rocksdb_options_destroy(options_);
  }

  void append(std::span<const bytes_view> values) override {
    ::rocksdb_writebatch_clear(batch_);
    for (const bytes_view value : values) {
      std::byte position[8];
      store_be(position, position_++);
      ::rocksdb_writebatch_put(batch_, reinterpret_cast<const char*>(position), sizeof position,
                               reinterpret_cast<const char*>(value.data()), value.size());
    }
    char* failure = nullptr;
    ::rocksdb_write(db_, write_options_, batch_, &failure);
    check(failure);
  }

 private:
  rocksdb_options_t* options_ = ::rocksdb_options_create();
  rocksdb_writeoptions_t* write_options_ = ::rocksdb_writeoptions_create();
  rocksdb_writebatch_t* batch_ = ::rocksdb_writebatch_create();
  rocksdb_t* db_ = nullptr;
  std::uint64_t position_ = 0;
};

}  // namespace

std::unique_ptr<store> open_rocksdb(const std::string& folder) {
  return std::make_unique<rocksdb_store>(folder);
}

}  // namespace ringlog::bench
