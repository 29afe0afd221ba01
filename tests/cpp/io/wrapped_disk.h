#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/file.h"

namespace ringlog::io {

// A file system that hands everything on: for tests that change some of it.
class wrapped_disk : public file_system {
 public:
  explicit wrapped_disk(file_system& below) : below_(below) {}

  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override {
    return below_.open(path, mode);
  }
  result<std::unique_ptr<file>> open_direct(const std::string& path) override {
    return below_.open_direct(path);
  }
  result<std::unique_ptr<volume>> open_volume(const std::string& path) override {
    return below_.open_volume(path);
  }
  result<std::vector<directory_entry>> list(const std::string& path) override {
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
  result<std::unique_ptr<file_lock>> lock(const std::string& path) override {
    return below_.lock(path);
  }
  result<space> measure_space(const std::string& path) override {
    return below_.measure_space(path);
  }
  result<identity> identify(const std::string& path) override { return below_.identify(path); }

 private:
  file_system& below_;
};

// Likewise a file. It has no descriptor, so that engines ask the file itself.
class wrapped_file : public file {
 public:
  explicit wrapped_file(std::unique_ptr<file> below) : below_(std::move(below)) {}

  result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) override {
    return below_->read_at(position, target);
  }
  status write_at(std::uint64_t position, bytes_view source) override {
    return below_->write_at(position, source);
  }
  status sync() override { return below_->sync(); }
  status resize(std::uint64_t size) override { return below_->resize(size); }
  status reserve(std::uint64_t size) override { return below_->reserve(size); }
  result<std::uint64_t> size() const override { return below_->size(); }
  const std::string& path() const override { return below_->path(); }
  int descriptor() const override { return -1; }
  bool is_direct() const override { return below_->is_direct(); }

 private:
  std::unique_ptr<file> below_;
};

}  // namespace ringlog::io
