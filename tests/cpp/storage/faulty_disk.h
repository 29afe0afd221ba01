#pragma once

// The real disk with failures on demand: no space at reservations, failing writes or syncs.

#include <atomic>

#include "io/wrapped_disk.h"

namespace ringlog::storage {

class faulty_disk final : public io::wrapped_disk {
 public:
  using wrapped_disk::wrapped_disk;

  std::atomic<bool> full{false};         // reservations and new files find no space
  std::atomic<bool> writes_fail{false};  // segment files answer EIO

  result<std::unique_ptr<io::file>> open(const std::string& path, io::open_mode mode) override {
    if (full && mode == io::open_mode::create) {
      return make_error(error_code::no_space, "{}: no space left (injected)", path);
    }
    TRY_ASSIGN(auto opened, wrapped_disk::open(path, mode));
    return std::unique_ptr<io::file>(new faulty_file(*this, std::move(opened)));
  }
  result<std::unique_ptr<io::file>> open_direct(const std::string& path) override {
    TRY_ASSIGN(auto opened, wrapped_disk::open_direct(path));
    return std::unique_ptr<io::file>(new faulty_file(*this, std::move(opened)));
  }

 private:
  class faulty_file final : public io::wrapped_file {
   public:
    faulty_file(faulty_disk& disk, std::unique_ptr<io::file> below)
        : wrapped_file(std::move(below)), disk_(disk) {}

    status write_at(std::uint64_t position, bytes_view source) override {
      TRY(check());
      return wrapped_file::write_at(position, source);
    }
    status sync() override {
      TRY(check());
      return wrapped_file::sync();
    }
    status reserve(std::uint64_t size) override {
      if (disk_.full) return make_error(error_code::no_space, "{}: no space (injected)", path());
      return wrapped_file::reserve(size);
    }

   private:
    status check() const {
      if (disk_.writes_fail && path().ends_with(".log")) {
        return make_error(error_code::io_error, "{}: write failed (injected)", path());
      }
      return {};
    }

    faulty_disk& disk_;
  };
};

}  // namespace ringlog::storage
