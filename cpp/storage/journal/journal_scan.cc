#include "storage/journal/journal_scan.h"

#include <algorithm>
#include <map>

#include "io/aligned_buffer.h"

namespace ringlog::storage {

namespace {

using journal_file = journal_files::journal_file;

constexpr std::size_t window_bytes = 2 * limits::MiB;
static_assert(window_bytes >= 2 * limits::journal_block_bytes_max);

// A moving view of one file.
class file_window {
 public:
  static result<file_window> make() {
    file_window made;
    TRY_ASSIGN(made.buffer_, io::aligned_buffer::make(window_bytes));
    return made;
  }

  void open(const journal_file& file) {
    file_ = &file;
    filled_ = 0;
    start_ = 0;
  }

  // The bytes at the position; fewer than `wanted` only at the file's end.
  result<bytes_view> at(std::int64_t position, std::size_t wanted) {
    const bool inside = position >= start_ && position + static_cast<std::int64_t>(wanted) <=
                                                  start_ + static_cast<std::int64_t>(filled_);
    if (!inside) {
      start_ = position;
      const auto left = static_cast<std::size_t>(std::max<std::int64_t>(file_->bytes - start_, 0));
      const std::size_t size = std::min(buffer_.size(), left);
      TRY_ASSIGN(filled_, file_->opened->read_at(static_cast<std::uint64_t>(start_),
                                                 buffer_.bytes().first(size)));
    }
    const auto skipped = static_cast<std::size_t>(position - start_);
    return bytes_view(buffer_.bytes()).subspan(skipped, std::min(wanted, filled_ - skipped));
  }

 private:
  file_window() = default;

  io::aligned_buffer buffer_;
  const journal_file* file_ = nullptr;
  std::int64_t start_ = 0;
  std::size_t filled_ = 0;
};

struct found_block {
  block_header header;
  bytes_view entries;
};

// Where a block stands that comes behind a missing one.
struct later_block {
  block_header header;
  journal_file* file = nullptr;
  std::int64_t position = 0;
};

class journal_scanner {
 public:
  journal_scanner(journal_files& files, const scan_request& request, const block_visitor& visit,
                  file_window window)
      : request_(request), visit_(visit), window_(std::move(window)), files_(files.all()) {}

  result<scanned_journal> scan() {
    TRY(list_first_blocks());
    found_.next_sequence = request_.first_sequence;
    // The needed blocks begin in the file that begins last before them, and go on in the one that
    // begins with the next.
    auto after = by_first_sequence_.upper_bound(request_.first_sequence);
    if (after != by_first_sequence_.begin()) {
      std::uint64_t begins_with = std::prev(after)->first;
      bool goes_on = true;
      while (goes_on) {
        TRY_ASSIGN(goes_on, follow_any(begins_with));
        begins_with = found_.next_sequence;
      }
    }
    TRY(look_for_later_blocks());
    return std::move(found_);
  }

 private:
  // A whole and right block at the position; nothing when there is none.
  result<std::optional<found_block>> read(std::int64_t position) {
    std::optional<found_block> none;
    TRY_ASSIGN(bytes_view bytes, window_.at(position, journal_format::alignment));
    TRY_ASSIGN(const auto header, read_block_header(bytes, request_.identity));
    if (!header) return none;
    TRY_ASSIGN(bytes, window_.at(position, header->bytes));
    if (bytes.size() < header->bytes || !has_right_checksum(bytes)) return none;
    return std::optional(found_block{*header, bytes.subspan(journal_format::header_bytes)});
  }

  status list_first_blocks() {
    for (journal_file* file : files_) {
      window_.open(*file);
      TRY_ASSIGN(const auto first, read(0));
      if (first) by_first_sequence_.emplace(first->header.sequence, file);
    }
    return {};
  }

  // Goes along the row of blocks of one file. Blocks before the needed ones are passed over.
  status follow(journal_file& file) {
    window_.open(file);
    std::optional<std::uint64_t> expected;
    std::int64_t position = 0;
    bool is_live = false;
    while (position < file.bytes) {
      TRY_ASSIGN(const auto block, read(position));
      if (!block) break;
      const block_header& header = block->header;
      if (expected && header.sequence != *expected) break;
      if (header.epoch < epoch_ || header.sequence > found_.next_sequence) break;
      expected = header.sequence + 1;
      const std::int64_t start = position;
      position += static_cast<std::int64_t>(io::align_up(header.bytes));
      row_ends_[&file] = position;
      if (header.sequence < found_.next_sequence) continue;
      note_place(header, file, start);
      epoch_ = header.epoch;
      TRY(visit_(header, block->entries));
      ++found_.blocks;
      found_.next_sequence = header.sequence + 1;
      if (!is_live) found_.live_files.push_back(file.number);
      is_live = true;
      found_.position = position;
    }
    return {};
  }

  void note_place(const block_header& header, journal_file& file, std::int64_t position) {
    auto& unproven = found_.unproven;
    unproven.push_back({&file, position, header.bytes, header.sequence});
    while (!unproven.empty() && unproven.front().sequence <= header.durable_sequence) {
      unproven.pop_front();
    }
  }

  // One of the files that begin with that block goes on with the row; a stale one does not.
  result<bool> follow_any(std::uint64_t begins_with) {
    const std::uint64_t before = found_.next_sequence;
    const auto [first, last] = by_first_sequence_.equal_range(begins_with);
    for (auto at = first; at != last && found_.next_sequence == before; ++at) {
      TRY(follow(*at->second));
    }
    return found_.next_sequence != before;
  }

  // A block that was closed after the first missing one was complete proves that it is damaged.
  status look_for_later_blocks() {
    std::map<std::uint64_t, later_block> later;
    std::map<std::uint64_t, std::uint64_t> complete_in;  // by epoch
    std::uint64_t complete = 0;
    std::uint64_t witness = 0;
    for (journal_file* file : files_) {
      window_.open(*file);
      // The blocks of the row itself say nothing about what comes after them.
      for (std::int64_t position = row_ends_[file]; position < file->bytes;
           position += static_cast<std::int64_t>(journal_format::alignment)) {
        TRY_ASSIGN(const bytes_view bytes, window_.at(position, journal_format::alignment));
        TRY_ASSIGN(const auto header, read_block_header(bytes, request_.identity));
        if (!header || header->sequence < found_.next_sequence) continue;
        if (header->epoch == request_.epoch) ++found_.unfinished;
        if (header->sequence == found_.next_sequence) continue;
        TRY_ASSIGN(const auto block, read(position));
        if (!block) continue;
        if (block->header.durable_sequence > complete) {
          complete = block->header.durable_sequence;
          witness = block->header.sequence;
        }
        std::uint64_t& of_epoch = complete_in[block->header.epoch];
        of_epoch = std::max(of_epoch, block->header.durable_sequence);
        later_block& known = later[block->header.sequence];
        if (known.file == nullptr || known.header.epoch < block->header.epoch) {
          known = {block->header, file, position};
        }
      }
    }
    if (complete < found_.next_sequence) return {};
    // Behind a torn end stand blocks that nobody was promised, until a later epoch's take their
    // place.
    std::erase_if(later, [&](const auto& each) {
      const block_header& header = each.second.header;
      return header.epoch < complete_in.rbegin()->first &&
             header.sequence > complete_in[header.epoch];
    });
    if (request_.visit_behind_damage) return visit_later(later, complete);
    return make_error(error_code::corrupt,
                      "the journal is damaged: block {} is missing or wrong, but block {} says "
                      "that it was complete; what was acknowledged after it cannot be read. "
                      "`ringlog check` says what can be saved",
                      found_.next_sequence, witness);
  }

  // Up to the last that was complete each missing one is lost; behind that, the first missing one
  // is the end.
  status visit_later(const std::map<std::uint64_t, later_block>& later, std::uint64_t complete) {
    std::uint64_t expected = found_.next_sequence;
    for (const auto& [sequence, block] : later) {
      if (sequence > expected && expected > complete) break;
      if (block.header.epoch < epoch_) continue;  // of a block that was written again since
      if (sequence > expected) found_.lost.push_back({expected, sequence - 1});
      window_.open(*block.file);
      TRY_ASSIGN(const auto whole, read(block.position));
      if (!whole) return make_error(error_code::io_error, "block {} changed meanwhile", sequence);
      epoch_ = block.header.epoch;
      note_place(block.header, *block.file, block.position);
      TRY(request_.visit_behind_damage(whole->header, whole->entries));
      ++found_.blocks;
      expected = sequence + 1;
    }
    if (expected <= complete) found_.lost.push_back({expected, complete});
    found_.next_sequence = std::max(expected, complete + 1);
    if (!later.empty()) found_.next_sequence = std::max(expected, later.rbegin()->first + 1);
    found_.live_files.clear();
    for (const journal_file* file : files_) {
      found_.live_files.push_back(file->number);
      found_.position = file->bytes;
    }
    return {};
  }

  const scan_request& request_;
  const block_visitor& visit_;
  file_window window_;
  const std::vector<journal_file*> files_;
  std::multimap<std::uint64_t, journal_file*> by_first_sequence_;
  std::map<const journal_file*, std::int64_t> row_ends_;
  std::uint64_t epoch_ = 0;  // of the last block in the row
  scanned_journal found_;
};

}  // namespace

result<scanned_journal> scan_journal(journal_files& files, const scan_request& request,
                                     const block_visitor& visit) {
  TRY_ASSIGN(file_window window, file_window::make());
  return journal_scanner(files, request, visit, std::move(window)).scan();
}

}  // namespace ringlog::storage
