#include "stores.h"

#include <fmt/format.h>

#include "turn.h"

namespace ringlog::bench {

std::unique_ptr<store> open_store(const std::string& name,
                                  [[maybe_unused]] const std::string& folder) {
#ifdef RINGLOG_BENCH_SQLITE
  if (name == "sqlite") return open_sqlite(folder);
#endif
#ifdef RINGLOG_BENCH_LMDB
  if (name == "lmdb") return open_lmdb(folder);
#endif
#ifdef RINGLOG_BENCH_ROCKSDB
  if (name == "rocksdb") return open_rocksdb(folder);
#endif
  skip(fmt::format("built without {}", name));
}

}  // namespace ringlog::bench
