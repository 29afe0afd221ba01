// One input as each of the text files of a log directory: checkpoints and properties.
//
// seeds: *-checkpoint meta.properties partition.metadata
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "base/properties.h"
#include "io/memory_file_system.h"
#include "storage/checkpoint_file.h"

namespace {

using namespace ringlog;

const std::string path = "/checkpoint";

void offset_checkpoint(io::file_system& disk) {
  const auto entries = storage::read_offset_checkpoint(disk, path);
  if (!entries.ok()) return;
  const std::string copy = path + "-copy";
  CHECK(storage::write_offset_checkpoint(disk, copy, *entries).ok(), "a disk in RAM takes it");
  const auto again = storage::read_offset_checkpoint(disk, copy);
  CHECK(again.ok() && *again == *entries, "a written checkpoint reads the same");
}

void epoch_checkpoint(io::file_system& disk) {
  const auto entries = storage::read_epoch_checkpoint(disk, path);
  if (!entries.ok()) return;
  const std::string copy = path + "-copy";
  const std::string text = storage::epoch_checkpoint_text(*entries);
  CHECK(io::write_file(disk, copy, as_bytes(text)).ok(), "a disk in RAM takes it");
  const auto again = storage::read_epoch_checkpoint(disk, copy);
  CHECK(again.ok() && *again == *entries, "a written checkpoint reads the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const bytes_view content(reinterpret_cast<const std::byte*>(data), size);
  static_cast<void>(parse_properties(as_text(content)));
  io::memory_file_system disk;
  auto file = disk.open(path, io::open_mode::create_new);
  CHECK(file.ok() && (*file)->write_at(0, content).ok(), "a disk in RAM takes the input");
  offset_checkpoint(disk);
  epoch_checkpoint(disk);
  return 0;
}
