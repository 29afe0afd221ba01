#include "io/operation.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"
#include "io/owned_descriptor.h"

namespace ringlog::io {

operation::operation(kind what, file& target, std::uint64_t position)
    : kind_(what), file_(&target), position_(position) {}

std::unique_ptr<operation> operation::make_write(file& target, std::uint64_t position,
                                                 const std::vector<bytes_view>& parts, bool durable,
                                                 engine::completion done) {
  std::unique_ptr<operation> made(
      new operation(durable ? kind::durable_write : kind::write, target, position));
  made->left_.reserve(parts.size());
  for (const bytes_view part : parts) made->add_part(part.data(), part.size());
  if (durable && !target.takes_durable_writes()) made->write_and_sync();
  made->done_ = std::move(done);
  return made;
}

std::unique_ptr<operation> operation::make_sync(file& target, engine::completion done) {
  std::unique_ptr<operation> made(new operation(kind::sync, target, 0));
  made->done_ = std::move(done);
  return made;
}

std::unique_ptr<operation> operation::make_read(file& source, std::uint64_t position,
                                                mutable_bytes target,
                                                engine::read_completion done) {
  std::unique_ptr<operation> made(new operation(kind::read, source, position));
  made->add_part(target.data(), target.size());
  made->read_done_ = std::move(done);
  return made;
}

void operation::add_part(const std::byte* data, std::size_t size) {
  if (size > 0) left_.push_back({const_cast<std::byte*>(data), size});
}

unsigned operation::part_count() const {
  return static_cast<unsigned>(std::min<std::size_t>(left_.size() - first_left_, IOV_MAX));
}

std::size_t operation::bytes_left() const {
  std::size_t bytes = 0;
  for (std::size_t i = first_left_; i < left_.size(); ++i) bytes += left_[i].iov_len;
  return bytes;
}

int operation::write_flags() const { return kind_ == kind::durable_write ? RWF_DSYNC : 0; }

void operation::write_and_sync() {
  kind_ = kind::write;
  syncs_at_end_ = true;
}

bool operation::absorb(std::int64_t outcome) {
  if (outcome == -EINTR || outcome == -EAGAIN) {
    if (++retries_ <= limits::io_retries_max) return false;
  }
  if (outcome == -EOPNOTSUPP && kind_ == kind::durable_write) {
    file_->refuse_durable_writes();
    write_and_sync();
    return false;
  }
  if (outcome < 0) {
    constexpr std::string_view verbs[] = {"write", "write", "sync", "read"};
    failure_ = error_from_errno(static_cast<int>(-outcome), verbs[static_cast<std::size_t>(kind_)],
                                file_->path());
    return true;
  }
  if (kind_ == kind::sync) return true;
  if (outcome == 0) {
    if (kind_ != kind::read) failure_ = error_from_errno(EIO, "write", file_->path());
    return true;  // a read of nothing: the file ends here
  }
  retries_ = 0;
  if (kind_ == kind::durable_write) file_->note_trial();
  advance(static_cast<std::size_t>(outcome));
  if (first_left_ < left_.size()) return false;
  if (!syncs_at_end_) return true;
  kind_ = kind::sync;
  return false;
}

void operation::advance(std::size_t size) {
  bytes_done_ += size;
  position_ += size;
  while (size > 0) {
    CHECK(first_left_ < left_.size(), "the kernel moved more bytes than it was asked to");
    iovec& part = left_[first_left_];
    const std::size_t step = std::min(size, part.iov_len);
    part.iov_base = static_cast<std::byte*>(part.iov_base) + step;
    part.iov_len -= step;
    size -= step;
    if (part.iov_len == 0) ++first_left_;
  }
}

std::int64_t operation::call() const {
  const auto position = static_cast<off_t>(position_);
  const auto count = static_cast<int>(part_count());
  ssize_t outcome = 0;
  switch (kind_) {
    case kind::sync:
      outcome = ::fdatasync(descriptor());
      break;
    case kind::read:
      outcome = ::preadv(descriptor(), parts(), count, position);
      break;
    case kind::write:
    case kind::durable_write:
      outcome = ::pwritev2(descriptor(), parts(), count, position, write_flags());
      break;
  }
  return outcome < 0 ? -errno : outcome;
}

void operation::run_blocking() {
  if (is_empty()) return;
  while (!absorb(call())) {
  }
}

void operation::run_by_file() {
  const status outcome = run_by_file_steps();
  if (!outcome.ok()) failure_ = outcome.failure();
}

status operation::run_by_file_steps() {
  if (kind_ == kind::sync) return file_->sync();
  while (first_left_ < left_.size()) {
    const iovec part = left_[first_left_];
    auto* data = static_cast<std::byte*>(part.iov_base);
    std::size_t size = part.iov_len;
    if (kind_ == kind::read) {
      TRY_ASSIGN(size, file_->read_at(position_, {data, size}));
    } else {
      TRY(file_->write_at(position_, {data, size}));
    }
    advance(size);
    if (size < part.iov_len) return {};  // the file ends here
  }
  return kind_ == kind::durable_write ? file_->sync() : status{};
}

void operation::complete() {
  if (kind_ == kind::read) {
    read_done_(failure_ ? result<std::size_t>(*std::move(failure_))
                        : result<std::size_t>(bytes_done_));
  } else {
    done_(failure_ ? status(*std::move(failure_)) : status());
  }
}

}  // namespace ringlog::io
