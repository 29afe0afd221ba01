#include <fmt/format.h>
#include <sqlite3.h>

#include "stores.h"
#include "turn.h"

namespace ringlog::bench {
namespace {

class sqlite_store final : public store {
 public:
  explicit sqlite_store(const std::string& folder) {
    check(::sqlite3_open((folder + "/log.db").c_str(), &db_));
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE log (position INTEGER PRIMARY KEY, value BLOB)");
    constexpr const char* insert = "INSERT INTO log (value) VALUES (?)";
    check(::sqlite3_prepare_v2(db_, insert, -1, &insert_, nullptr));
    check(::sqlite3_prepare_v2(db_, "BEGIN", -1, &begin_, nullptr));
    check(::sqlite3_prepare_v2(db_, "COMMIT", -1, &commit_, nullptr));
  }
  ~sqlite_store() override {
    for (sqlite3_stmt* statement : {insert_, begin_, commit_}) ::sqlite3_finalize(statement);
    ::sqlite3_close(db_);
  }

  void append(std::span<const bytes_view> values) override {
    if (values.size() > 1) step(begin_);
    for (const bytes_view value : values) {
      const auto size = static_cast<int>(value.size());
      check(::sqlite3_bind_blob(insert_, 1, value.data(), size, SQLITE_STATIC));
      step(insert_);
    }
    if (values.size() > 1) step(commit_);
  }

 private:
  void check(int outcome) {
    if (outcome != SQLITE_OK) fail(fmt::format("SQLite: {}", ::sqlite3_errmsg(db_)));
  }
  void run(const char* statement) {
    check(::sqlite3_exec(db_, statement, nullptr, nullptr, nullptr));
  }
  void step(sqlite3_stmt* statement) {
    if (::sqlite3_step(statement) != SQLITE_DONE) {
      fail(fmt::format("SQLite: {}", ::sqlite3_errmsg(db_)));
    }
    ::sqlite3_reset(statement);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
};

}  // namespace

std::unique_ptr<store> open_sqlite(const std::string& folder) {
  return std::make_unique<sqlite_store>(folder);
}

}  // namespace ringlog::bench
