#include "storage/journal/journal_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "base/parse.h"
#include "io/aligned_buffer.h"
#include "storage/file_names.h"
#include "storage/journal/journal_format.h"

namespace ringlog::storage {

namespace {

constexpr std::size_t number_digits = 8;
constexpr std::int64_t first_file_bytes = 1 * limits::MiB;
constexpr std::int64_t largest_file_bytes = 64 * limits::MiB;
constexpr std::int64_t growth = 4;  // each new file is so many times as large as the last one
constexpr std::int64_t zeros_bytes = 1 * limits::MiB;
constexpr milliseconds retry_interval{5'000};

const byte_buffer& zeros() {
  static const byte_buffer block(static_cast<std::size_t>(zeros_bytes));
  return block;
}

std::optional<std::uint32_t> number_of(std::string_view name) {
  constexpr std::string_view suffix = journal_files::suffix;
  if (name.size() != number_digits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::uint32_t number = 0;
  for (const char digit : name.substr(0, number_digits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  return number;
}

}  // namespace

std::string journal_files::path_of(std::uint32_t number) const {
  return join_path(directory_, fmt::format("{:08}{}", number, suffix));
}

status journal_files::open() {
  TRY_ASSIGN(const auto entries, outside_.disk.list(directory_));
  for (const io::directory_entry& entry : entries) {
    const auto number = number_of(entry.name);
    if (!number) continue;
    next_number_ = std::max(next_number_, *number + 1);
    if (static_cast<std::int64_t>(entry.size) < first_file_bytes) {  // it was just being made
      TRY(outside_.disk.remove(join_path(directory_, entry.name)));
      continue;
    }
    auto found = std::make_unique<journal_file>();
    found->number = *number;
    TRY_ASSIGN(found->opened, outside_.disk.open_direct(join_path(directory_, entry.name)));
    found->bytes = static_cast<std::int64_t>(entry.size / journal_format::alignment *
                                             journal_format::alignment);
    free_.push_back(std::move(found));
  }
  return {};
}

std::vector<journal_files::journal_file*> journal_files::all() {
  std::vector<journal_file*> found;
  for (const auto& each : live_) found.push_back(each.get());
  for (const auto& each : free_) found.push_back(each.get());
  return found;
}

void journal_files::set_live(const std::vector<std::uint32_t>& numbers, std::int64_t position,
                             std::uint64_t last_sequence) {
  for (const std::uint32_t number : numbers) {
    const auto found = std::find_if(free_.begin(), free_.end(),
                                    [&](const auto& file) { return file->number == number; });
    CHECK(found != free_.end(), "a live journal file was found by recovery", number);
    live_.push_back(std::move(*found));
    live_.back()->last_sequence = last_sequence;  // of all of them: they are needed as one
    free_.erase(found);
  }
  position_ = position;
}

status journal_files::write_again(const std::deque<block_place>& blocks) {
  if (blocks.empty()) return {};
  TRY_ASSIGN(const auto buffer, io::aligned_buffer::make(limits::journal_block_bytes_max));
  for (const block_place& block : blocks) {
    io::file& file = *block.file->opened;
    const auto position = static_cast<std::uint64_t>(block.position);
    const mutable_bytes bytes = buffer.bytes().first(io::align_up(block.bytes));
    TRY_ASSIGN(const std::size_t filled, file.read_at(position, bytes));
    if (filled < bytes.size() || !has_right_checksum(bytes.first(block.bytes))) {
      return make_error(error_code::io_error, "block {} in {} changed while it was read",
                        block.sequence, file.path());
    }
    TRY(file.write_at(position, bytes));
    TRY(file.sync());
  }
  return {};
}

status journal_files::ensure_one() {
  if (!live_.empty() || !free_.empty()) return {};
  auto made = std::make_unique<journal_file>();
  made->number = next_number_++;
  made->bytes = first_file_bytes;
  const std::string path = path_of(made->number);
  {
    TRY_ASSIGN(const auto file, outside_.disk.open(path, io::open_mode::create_new));
    TRY(file->write_at(0, bytes_view(zeros()).first(static_cast<std::size_t>(made->bytes))));
    TRY(file->sync());
  }
  TRY(outside_.disk.sync_directory(directory_));
  TRY_ASSIGN(made->opened, outside_.disk.open_direct(path));
  free_.push_back(std::move(made));
  return {};
}

std::optional<journal_files::place> journal_files::take(std::size_t bytes, std::uint64_t sequence) {
  const auto needed = static_cast<std::int64_t>(bytes);
  if (live_.empty() || position_ + needed > live_.back()->bytes) {
    const auto next = std::find_if(free_.begin(), free_.end(),
                                   [&](const auto& file) { return file->bytes >= needed; });
    if (next == free_.end()) return std::nullopt;
    live_.push_back(std::move(*next));
    free_.erase(next);
    position_ = 0;
  }
  journal_file& current = *live_.back();
  current.last_sequence = sequence;
  const place taken{current.opened.get(), static_cast<std::uint64_t>(position_)};
  position_ += needed;
  return taken;
}

void journal_files::release_before(std::uint64_t first_needed) {
  while (!live_.empty() && live_.front()->last_sequence < first_needed) {
    free_.push_back(std::move(live_.front()));
    live_.pop_front();
  }
}

std::int64_t journal_files::live_bytes() const {
  if (live_.empty()) return 0;
  std::int64_t bytes = position_;
  for (std::size_t i = 0; i + 1 < live_.size(); ++i) bytes += live_[i]->bytes;
  return bytes;
}

std::int64_t journal_files::total_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& file : live_) bytes += file->bytes;
  for (const auto& file : free_) bytes += file->bytes;
  return bytes;
}

std::int64_t journal_files::next_size() const {
  std::int64_t largest = first_file_bytes / growth;
  for (const auto& file : live_) largest = std::max(largest, file->bytes);
  for (const auto& file : free_) largest = std::max(largest, file->bytes);
  return std::min({largest * growth, largest_file_bytes, bytes_max_ - total_bytes()});
}

// Writes zeros over a new file, piece by piece, so that the engine does other things meanwhile.
class journal_files::preparation : public std::enable_shared_from_this<preparation> {
 public:
  preparation(journal_files& home, std::int64_t bytes, callback<void(status)> done)
      : home_(home), made_(std::make_unique<journal_file>()), done_(std::move(done)) {
    made_->number = home.next_number_++;
    made_->bytes = bytes;
  }

  // Its file is of no use any more; what is under way ends by itself.
  void cancel() {
    cancelled_ = true;
    (void)home_.outside_.disk.remove(path());
  }

  void begin() {
    auto opened = home_.outside_.disk.open(path(), io::open_mode::create_new);
    if (!opened.ok()) return end(std::move(opened.failure()));
    file_ = std::move(opened).value();
    write_on();
  }

 private:
  std::string path() const { return home_.path_of(made_->number); }

  void write_on() {
    if (cancelled_) return;
    if (written_ == made_->bytes) {
      return home_.outside_.engine.sync(
          *file_, [self = shared_from_this()](status synced) { self->finish(std::move(synced)); });
    }
    const std::int64_t next = std::min(zeros_bytes, made_->bytes - written_);
    home_.outside_.engine.write(*file_, static_cast<std::uint64_t>(written_),
                                {bytes_view(zeros()).first(static_cast<std::size_t>(next))}, false,
                                [self = shared_from_this(), next](status wrote) {
                                  if (!wrote.ok()) return self->end(std::move(wrote));
                                  self->written_ += next;
                                  self->write_on();
                                });
  }

  void finish(status synced) {
    if (cancelled_) return;
    if (!synced.ok()) return end(std::move(synced));
    if (status named = home_.outside_.disk.sync_directory(home_.directory_); !named.ok()) {
      return end(std::move(named));
    }
    auto opened = home_.outside_.disk.open_direct(path());
    if (!opened.ok()) return end(std::move(opened.failure()));
    made_->opened = std::move(opened).value();
    home_.free_.push_back(std::move(made_));
    end({});
  }

  void end(status outcome) {
    if (cancelled_) return;
    file_.reset();
    if (!outcome.ok()) {
      (void)home_.outside_.disk.remove(path());
      home_.next_try_ = home_.outside_.clock.now() + retry_interval;
    }
    const auto self = shared_from_this();
    home_.preparing_.reset();
    done_(std::move(outcome));
  }

  journal_files& home_;
  std::unique_ptr<journal_file> made_;
  callback<void(status)> done_;
  std::unique_ptr<io::file> file_;
  std::int64_t written_ = 0;
  bool cancelled_ = false;
};

void journal_files::prepare_next(callback<void(status)> done) {
  if (preparing_ != nullptr || !free_.empty() || outside_.clock.now() < next_try_) return;
  const std::int64_t bytes = next_size();
  if (bytes < first_file_bytes) return;  // the bound is reached: files must become free
  preparing_ = std::make_shared<preparation>(*this, bytes, std::move(done));
  const auto begun = preparing_;
  begun->begin();
}

status journal_files::shrink() {
  if (preparing_ != nullptr) preparing_->cancel();
  preparing_.reset();
  for (auto& file : live_) free_.push_back(std::move(file));
  live_.clear();
  position_ = 0;
  bool kept = false;
  for (const auto& file : free_) {
    if (!kept && file->bytes == first_file_bytes) {
      kept = true;
      continue;
    }
    TRY(outside_.disk.remove(path_of(file->number)));
  }
  free_.clear();
  return outside_.disk.sync_directory(directory_);
}

}  // namespace ringlog::storage
