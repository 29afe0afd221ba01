#include "journal_damage.h"

#include <vector>

#include "storage/journal/journal_checkpoint.h"

namespace ringlog::sim {
namespace {

struct block_place {
  std::string path;
  std::uint64_t position = 0;
  storage::block_header header;
};

status find_blocks(io::sim::disk& drive, const std::string& path,
                   const storage::journal_identity& identity, std::vector<block_place>& blocks) {
  TRY_ASSIGN(const byte_buffer content, io::read_file(drive, path, limits::journal_bytes_max));
  const bytes_view all(content);
  for (std::size_t at = 0; at < all.size();) {
    const bytes_view left = all.subspan(at);
    TRY_ASSIGN(const auto header, storage::read_block_header(left, identity));
    if (!header || header->bytes > left.size() ||
        !storage::has_right_checksum(left.first(header->bytes))) {
      at += storage::journal_format::alignment;
      continue;
    }
    blocks.push_back({path, at, *header});
    at += io::align_up(header->bytes);
  }
  return {};
}

}  // namespace

result<bool> damage_a_complete_block(io::sim::disk& drive, const std::string& journal_directory,
                                     const storage::journal_identity& identity,
                                     random_source& random) {
  TRY_ASSIGN(const auto table, storage::read_checkpoint(drive, journal_directory));
  if (!table || table->clean) return false;
  std::vector<block_place> blocks;
  TRY_ASSIGN(const auto entries, drive.list(journal_directory));
  for (const io::directory_entry& entry : entries) {
    if (!entry.name.ends_with(".journal")) continue;
    TRY(find_blocks(drive, journal_directory + "/" + entry.name, identity, blocks));
  }
  std::uint64_t complete = 0;
  std::map<std::uint64_t, int> by_sequence;
  for (const block_place& block : blocks) {
    complete = std::max(complete, block.header.durable_sequence);
    ++by_sequence[block.header.sequence];
  }
  std::erase_if(blocks, [&](const block_place& block) {
    const std::uint64_t sequence = block.header.sequence;
    return sequence < table->first_sequence || sequence > complete || by_sequence[sequence] > 1;
  });
  if (blocks.empty()) return false;
  const block_place& chosen = blocks[random.below(blocks.size())];
  TRY(drive.decay(chosen.path, chosen.position, chosen.header.bytes));
  return true;
}

}  // namespace ringlog::sim
