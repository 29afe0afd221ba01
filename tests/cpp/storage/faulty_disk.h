#pragma once

// The real disk with failures on demand: no space at reservations, failing writes or syncs.

#include <atomic>

#include "io/file.h"

namespace ringlog::storage {

class faulty_disk final : public io::file_system {
 public:
  explicit faulty_disk(io::file_system& below) : below_(below) {}

  std::atomic<bool> full{false};         // reservations and new files find no space
  std::atomic<bool> writes_fail{false};  // segment files answer EIO

  result<std::unique_ptr<io::file>> open(const std::string& path, io::open_mode mode) override {
    if (full && mode == io::open_mode::create) {
      return make_error(error_code::no_space, "{}: no space left (injected)", path);
    }
    TRY_ASSIGN(auto opened, below_.open(path, mode));
    return std::unique_ptr<io::file>(new faulty_file(*this, std::move(opened)));
  }
  result<std::unique_ptr<io::file>> open_direct(const std::string& path) override {
    TRY_ASSIGN(auto opened, below_.open_direct(path));
    return std::unique_ptr<io::file>(new faulty_file(*this, std::move(opened)));
  }
  result<std::unique_ptr<io::volume>> open_volume(const std::string& path) override {
    return below_.open_volume(path);
  }
  result<std::vector<io::directory_entry>> list(const std::string& path) override {
    return below_.list(path);
  }
  result<bool> exists(const std::string& path) override { return below_.exists(path); }
  status make_directories(const std::string& path) override {
    return below_.make_directories(path);
  }
  status rename(const std::string& source, const std::string& target) override {
    return below_.rename(source, target);
  }
  status remove(const std::string& path) override { return below_.remove(path); }
  status remove_tree(const std::string& path) override { return below_.remove_tree(path); }
  status sync_directory(const std::string& path) override { return below_.sync_directory(path); }
  result<std::unique_ptr<io::file_lock>> lock(const std::string& path) override {
    return below_.lock(path);
  }
  result<std::uint64_t> available_bytes(const std::string& path) override {
    return below_.available_bytes(path);
  }
  result<identity> identify(const std::string& path) override { return below_.identify(path); }

 private:
  // Without a descriptor, so that the engine asks the file itself.
  class faulty_file final : public io::file {
   public:
    faulty_file(faulty_disk& disk, std::unique_ptr<io::file> below)
        : disk_(disk), below_(std::move(below)) {}

    result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) override {
      return below_->read_at(position, target);
    }
    status write_at(std::uint64_t position, bytes_view source) override {
      TRY(check());
      return below_->write_at(position, source);
    }
    status sync() override {
      TRY(check());
      return below_->sync();
    }
    status resize(std::uint64_t size) override { return below_->resize(size); }
    status reserve(std::uint64_t size) override {
      if (disk_.full) return make_error(error_code::no_space, "{}: no space (injected)", path());
      return below_->reserve(size);
    }
    result<std::uint64_t> size() const override { return below_->size(); }
    const std::string& path() const override { return below_->path(); }
    int descriptor() const override { return -1; }
    bool is_direct() const override { return below_->is_direct(); }

   private:
    status check() const {
      if (disk_.writes_fail && path().ends_with(".log")) {
        return make_error(error_code::io_error, "{}: write failed (injected)", path());
      }
      return {};
    }

    faulty_disk& disk_;
    std::unique_ptr<io::file> below_;
  };

  io::file_system& below_;
};

}  // namespace ringlog::storage
