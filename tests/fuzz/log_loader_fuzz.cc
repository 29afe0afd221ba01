// A partition directory after a kill: the input is its .log file, and the input's last byte says
// which other files hold pieces of it. Loading never fails on content, and what it leaves is whole:
// loading once more finds the same log and cuts nothing.
//
// seeds: *.log
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "io/memory_file_system.h"
#include "io/sim/world.h"
#include "storage/log_loader.h"

namespace {

using namespace ringlog;

const std::string directory = "/fuzz-0";

void write(io::file_system& disk, const std::string& name, bytes_view content) {
  auto file = disk.open(directory + "/" + name, io::open_mode::create_new);
  CHECK(file.ok() && (*file)->write_at(0, content).ok(), "a disk in RAM takes it", name);
}

void lay_out(io::file_system& disk, bytes_view log, unsigned choice) {
  const std::string base(20, '0');
  const bytes_view piece = log.subspan(log.size() / 2);
  CHECK(disk.make_directories(directory).ok(), "a disk in RAM takes it");
  write(disk, base + ".log", log);
  if ((choice & 1) != 0) write(disk, base + ".index", piece.first(piece.size() / 8 * 8));
  if ((choice & 2) != 0) write(disk, base + ".timeindex", piece.first(piece.size() / 12 * 12));
  if ((choice & 4) != 0) write(disk, base + ".txnindex", piece);
  if ((choice & 8) != 0) write(disk, "leader-epoch-checkpoint", piece);
  if ((choice & 16) != 0) write(disk, base.substr(1) + "3.snapshot", piece);
  if ((choice & 32) != 0) write(disk, base.substr(1) + "9.log", piece);
  if ((choice & 64) != 0) write(disk, base + ".log.swap", piece);
}

result<storage::loaded_log> load(io::file_system& disk, io::sim::world& world) {
  null_log_sink sink;
  storage::segment_cache cache(disk, sink, false);
  storage::load_request request;
  request.name = topic_partition{"fuzz", partition_id_t(0)};
  request.directory = directory;
  const storage::services outside{disk, world.make_actor(), world.time(), world.random(), sink};
  return storage::log_loader(outside, cache, request).load();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  io::memory_file_system disk;
  io::sim::world world(1);
  lay_out(disk, {reinterpret_cast<const std::byte*>(data), size - 1}, data[size - 1]);
  const auto loaded = load(disk, world);
  if (!loaded.ok()) return 0;
  CHECK(!loaded->segments.empty(), "a log has a segment");
  CHECK(loaded->log_start <= loaded->log_end, "a log starts before its end");
  const auto again = load(disk, world);
  CHECK(again.ok(), "what was loaded once loads again");
  CHECK(again->log_end == loaded->log_end && again->log_start == loaded->log_start,
        "a second recovery changes nothing", again->log_end.value(), loaded->log_end.value());
  return 0;
}
