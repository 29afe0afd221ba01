#include <fmt/format.h>
#include <lmdb.h>

#include "base/endian.h"
#include "stores.h"
#include "turn.h"

namespace ringlog::bench {
namespace {

constexpr std::size_t map_bytes = std::size_t{64} << 30;

void check(int outcome) {
  if (outcome != 0) fail(fmt::format("LMDB: {}", ::mdb_strerror(outcome)));
}

class lmdb_store final : public store {
 public:
  explicit lmdb_store(const std::string& folder) {
    check(::mdb_env_create(&env_));
    check(::mdb_env_set_mapsize(env_, map_bytes));
    check(::mdb_env_open(env_, folder.c_str(), 0, 0600));
    MDB_txn* transaction = nullptr;
    check(::mdb_txn_begin(env_, nullptr, 0, &transaction));
    check(::mdb_dbi_open(transaction, nullptr, 0, &table_));
    check(::mdb_txn_commit(transaction));
  }
  ~lmdb_store() override { ::mdb_env_close(env_); }

  void append(std::span<const bytes_view> values) override {
    MDB_txn* transaction = nullptr;
    check(::mdb_txn_begin(env_, nullptr, 0, &transaction));
    for (const bytes_view value : values) {
      std::byte position[8];
      store_be(position, position_++);
      MDB_val key{sizeof position, position};
      MDB_val data{value.size(), const_cast<std::byte*>(value.data())};
      check(::mdb_put(transaction, table_, &key, &data, MDB_APPEND));
    }
    check(::mdb_txn_commit(transaction));
  }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace

std::unique_ptr<store> open_lmdb(const std::string& folder) {
  return std::make_unique<lmdb_store>(folder);
}

}  // namespace ringlog::bench
