#include "storage/journal/journal.h"

#include <algorithm>
#include <iterator>

namespace ringlog::storage {

namespace {

constexpr std::size_t block_bytes_max = limits::journal_block_bytes_max;
constexpr std::size_t blocks_in_flight_max = limits::journal_blocks_in_flight_max;
constexpr std::int64_t last_part_bytes = 8 * limits::MiB;
constexpr std::int64_t last_part_divisor = 8;  // of a small journal

// A piece below this size is not worth an entry of its own.
constexpr std::size_t piece_bytes_min = 1 * limits::KiB;

// Writes as much of a batch as `room` takes and leaves the rest in `entry`. Returns the bytes
// written: none for what is not to be split here.
std::size_t encode_piece(mutable_bytes room, journal_entry& entry) {
  auto* batch = std::get_if<journaled_batch>(&entry.what);
  if (batch == nullptr || room.size() < journal_format::batch_overhead + piece_bytes_min) return 0;
  journal_entry piece = entry;
  auto& part = std::get<journaled_batch>(piece.what);
  part.bytes = batch->bytes.first(room.size() - journal_format::batch_overhead);
  part.more_follows = true;
  batch->position += static_cast<std::int64_t>(part.bytes.size());
  batch->bytes = batch->bytes.subspan(part.bytes.size());
  return encode_entry(room, piece);
}

}  // namespace

// A block on its way: its bytes, and whom to tell.
struct journal::block {
  io::aligned_buffer buffer;
  std::size_t bytes = 0;  // padded
  std::uint64_t sequence = 0;
  std::uint64_t needed_from = 0;  // see first_needed(), when this block is durable
  entry_number last_entry = 0;
  std::vector<std::pair<std::shared_ptr<partition_log>, offset_t>> ends;
  bool is_written = false;

  void note_end(const std::shared_ptr<partition_log>& log, const journal_entry& entry) {
    const auto* batch = std::get_if<journaled_batch>(&entry.what);
    if (batch == nullptr || log == nullptr) return;
    if (!ends.empty() && ends.back().first == log) {
      ends.back().second = batch->end;
    } else {
      ends.emplace_back(log, batch->end);
    }
  }
};

journal::journal(services outside, journal_options options)
    : outside_(outside),
      options_(std::move(options)),
      files_(outside, options_.directory, options_.bytes_max) {}

journal::~journal() = default;

void journal::begin(const journal_position& from) {
  const std::lock_guard lock(mutex_);
  CHECK(pending_.empty(), "the journal begins before its first entry");
  epoch_ = from.epoch;
  next_sequence_ = from.next_sequence;
  durable_sequence_ = from.next_sequence - 1;
  first_needed_ = from.next_sequence;
  used_bytes_ = files_.live_bytes();
}

// ---- appending

bool journal::has_room(std::size_t bytes, bool last_part_too) const {
  const std::int64_t kept_back =
      last_part_too ? 0 : std::min(last_part_bytes, options_.bytes_max / last_part_divisor);
  const std::lock_guard lock(mutex_);
  const auto more = static_cast<std::int64_t>(pending_bytes_ + bytes);
  // One that is larger than all of it goes through when nothing else is there.
  return used_bytes_ + more <= options_.bytes_max - kept_back || pending_bytes_ == 0;
}

journal::entry_number journal::append(journal_entry entry, std::shared_ptr<const void> owner,
                                      std::shared_ptr<partition_log> log) {
  bool post = false;
  entry_number number = 0;
  {
    const std::lock_guard lock(mutex_);
    pending_bytes_ += encoded_bytes(entry);
    pending_.push_back({std::move(entry), std::move(owner), std::move(log)});
    number = next_entry_++;
    post = !std::exchange(pump_posted_, true);
  }
  if (post) {
    outside_.engine.post([this, weak = std::weak_ptr<bool>(alive_)] {
      if (!weak.expired()) pump();
    });
  }
  return number;
}

std::uint32_t journal::introduce(journaled_log log) {
  std::uint32_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = next_log_++;
  }
  append({number, std::move(log)});
  return number;
}

journal::entry_number journal::last_entry() const {
  const std::lock_guard lock(mutex_);
  return next_entry_ - 1;
}

std::uint32_t journal::next_log() const {
  const std::lock_guard lock(mutex_);
  return next_log_;
}

void journal::set_next_log(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  next_log_ = number;
}

// ---- writing

// Closes and writes blocks while there is something to write and a write may begin.
void journal::pump() {
  {
    const std::lock_guard lock(mutex_);
    pump_posted_ = false;
    if (failure_) return;
  }
  while (waiting_for_room_ != nullptr || may_seal()) {
    if (waiting_for_room_ == nullptr) waiting_for_room_ = gather();
    const auto place = files_.take(waiting_for_room_->bytes, waiting_for_room_->sequence);
    if (!place) break;  // again when a file was made or freed
    in_flight_.push_back(std::move(waiting_for_room_));
    block& writing = *in_flight_.back();
    outside_.engine.write(*place->target, place->position,
                          {writing.buffer.bytes().first(writing.bytes)}, true,
                          [this, &writing, weak = std::weak_ptr<bool>(alive_)](status outcome) {
                            if (!weak.expired()) written(writing, std::move(outcome));
                          });
  }
  make_room();
}

// A block is closed as soon as nothing is being written; while something is, only a full one.
bool journal::may_seal() const {
  if (in_flight_.size() >= blocks_in_flight_max) return false;
  const std::lock_guard lock(mutex_);
  if (pending_bytes_ == 0) return false;
  return in_flight_.empty() || pending_bytes_ + journal_format::header_bytes >= block_bytes_max;
}

io::aligned_buffer journal::take_buffer() {
  if (spare_buffers_.empty()) {
    auto made = io::aligned_buffer::make(block_bytes_max);
    CHECK(made.ok(), "no memory for a block of the journal");
    return std::move(made).value();
  }
  io::aligned_buffer taken = std::move(spare_buffers_.back());
  spare_buffers_.pop_back();
  return taken;
}

// So that entries are copied without the lock that appenders need.
void journal::take_over_appended() {
  const std::lock_guard lock(mutex_);
  std::move(pending_.begin(), pending_.end(), std::back_inserter(taken_));
  pending_.clear();
}

// Entries in their order, as many as fit. A batch that does not fit leaves its rest for the next
// block.
std::unique_ptr<journal::block> journal::gather() {
  auto made = std::make_unique<block>();
  made->buffer = take_buffer();
  made->sequence = next_sequence_++;
  const mutable_bytes room = made->buffer.bytes();
  std::size_t at = journal_format::header_bytes;
  std::uint32_t entries = 0;
  take_over_appended();
  std::size_t gathered = 0;
  for (; !taken_.empty(); ++entries) {
    pending_entry& next = taken_.front();
    const std::size_t bytes = encoded_bytes(next.what);
    if (at + bytes > room.size()) {
      const std::size_t piece = encode_piece(room.subspan(at), next.what);
      if (piece == 0) break;
      at += piece;
      ++entries;
      gathered += bytes - encoded_bytes(next.what);
      if (split_since_ == 0) split_since_ = made->sequence;
      break;
    }
    at += encode_entry(room.subspan(at), next.what);
    gathered += bytes;
    made->note_end(next.log, next.what);
    split_since_ = 0;
    ++last_gathered_;
    taken_.pop_front();
  }
  {
    const std::lock_guard lock(mutex_);
    pending_bytes_ -= gathered;
  }
  made->last_entry = last_gathered_;
  made->needed_from = split_since_ == 0 ? made->sequence + 1 : split_since_;
  made->bytes = io::align_up(at);
  const mutable_bytes padding = room.subspan(at, made->bytes - at);
  std::fill(padding.begin(), padding.end(), std::byte{0});
  block_header header;
  header.bytes = static_cast<std::uint32_t>(at);
  header.entries = entries;
  header.epoch = epoch_;
  header.sequence = made->sequence;
  header.durable_sequence = durable_sequence_;
  header.identity = options_.identity;
  seal_block(room.first(at), header);
  return made;
}

void journal::written(block& which, status outcome) {
  if (!outcome.ok()) return fail(outcome.failure());
  which.is_written = true;
  complete_in_order();
  pump();
}

// A block counts when it and all before it are on stable storage.
void journal::complete_in_order() {
  std::vector<std::unique_ptr<block>> complete;
  while (!in_flight_.empty() && in_flight_.front()->is_written) {
    complete.push_back(std::move(in_flight_.front()));
    in_flight_.pop_front();
  }
  for (const auto& each : complete) {
    durable_sequence_ = each->sequence;
    durable_entry_ = each->last_entry;
    first_needed_ = each->needed_from;
    if (on_durable) {
      for (const auto& [log, end] : each->ends) on_durable(log, end);
    }
    if (spare_buffers_.size() < blocks_in_flight_max) {
      spare_buffers_.push_back(std::move(each->buffer));
    }
  }
  std::vector<callback<void(status)>> answered;
  const auto end = waiters_.upper_bound(durable_entry_);
  for (auto at = waiters_.begin(); at != end; ++at) answered.push_back(std::move(at->second));
  waiters_.erase(waiters_.begin(), end);
  for (auto& done : answered) done({});
}

void journal::when_durable(entry_number entry, callback<void(status)> done) {
  std::optional<error> failure;
  {
    const std::lock_guard lock(mutex_);
    failure = failure_;
  }
  if (entry <= durable_entry_) return done({});
  if (failure) return done(*failure);
  waiters_.emplace(entry, std::move(done));
}

void journal::fail(const error& cause) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return;
    failure_ = cause;
  }
  if (on_failure) on_failure(cause);
  auto waiters = std::exchange(waiters_, {});
  for (auto& [entry, done] : waiters) done(cause);
}

// ---- room

// Last in a pump: what is called here may come back into it.
void journal::make_room() {
  const std::int64_t used = files_.live_bytes();
  {
    const std::lock_guard lock(mutex_);
    used_bytes_ = used;
  }
  files_.prepare_next([this, weak = std::weak_ptr<bool>(alive_)](const status& prepared) {
    if (weak.expired()) return;
    if (prepared.ok()) return pump();
    // A full disk: checkpoints free files, so it goes on with those that there are.
    outside_.sink.log(log_level::warning, "the journal does not grow: {}",
                      prepared.failure().message);
  });
  const bool is_due = used > options_.bytes_max / 2 || waiting_for_room_ != nullptr;
  if (is_due && on_half_full) on_half_full();
}

void journal::release_before(std::uint64_t first_needed) {
  const std::int64_t used = files_.live_bytes();
  files_.release_before(first_needed);
  if (files_.live_bytes() < used) pump();
}

void journal::stop() {
  alive_.reset();
  waiters_.clear();
  on_durable = nullptr;
  on_failure = nullptr;
  on_half_full = nullptr;
  taken_.clear();
  const std::lock_guard lock(mutex_);
  pending_.clear();
}

}  // namespace ringlog::storage
