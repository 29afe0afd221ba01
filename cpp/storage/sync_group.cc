#include "storage/sync_group.h"

namespace ringlog::storage {

namespace {

std::string temporary(const std::string& path) { return path + ".tmp"; }

status unless_gone(status outcome) {
  return !outcome.ok() && outcome.code() == error_code::not_found ? status() : std::move(outcome);
}

}  // namespace

status sync_group::replace(const std::string& path, bytes_view content) {
  TRY(io::write_file(*disk_, temporary(path), content));
  add_file(temporary(path));
  add_directory(io::parent_of(path));
  replaced_.push_back(path);
  return {};
}

void sync_group::add(sync_group&& other) {
  files_.merge(other.files_);
  directories_.merge(other.directories_);
  replaced_.insert(replaced_.end(), other.replaced_.begin(), other.replaced_.end());
}

status sync_group::sync() {
  const bool many = files_.size() + directories_.size() > single_max_;
  const bool as_a_whole = many && whole_ != nullptr;
  if (as_a_whole && replaced_.empty()) return whole_->sync();
  TRY(as_a_whole ? whole_->sync() : sync_files());
  for (const std::string& path : replaced_) {
    TRY(unless_gone(disk_->rename(temporary(path), path)));
  }
  return as_a_whole ? whole_->sync() : sync_directories();
}

status sync_group::sync_files() {
  for (const std::string& path : files_) {
    const auto file = disk_->open(path, io::open_mode::read_write);
    if (!file.ok()) {
      TRY(unless_gone(file.failure()));
    } else {
      TRY((*file)->sync());
    }
  }
  return {};
}

status sync_group::sync_directories() {
  for (const std::string& path : directories_) TRY(unless_gone(disk_->sync_directory(path)));
  return {};
}

}  // namespace ringlog::storage
