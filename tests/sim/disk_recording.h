#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "io/engine.h"
#include "io/sim/disk.h"

namespace ringlog::sim {

// One thing that a program did to its disk, or that it was told or told others.
struct recorded {
  enum class kind : std::uint8_t {
    make_directories,  // path
    open,              // path, file, mode
    write,             // file, position, bytes: through the page cache, blocking
    begin_write,       // file, position, bytes, number: given to the engine
    end_write,         // number, is_durable: the engine said so
    sync,              // file
    resize,            // file, position is the size
    rename,            // path, target
    remove,            // path
    remove_tree,       // path
    sync_directory,    // path
    note,              // number, position: the recording's owner knows what they mean
  };
  kind what;
  std::string path = {};
  std::string target = {};
  io::open_mode mode = io::open_mode::read;
  std::uint64_t file = 0;
  std::uint64_t number = 0;
  std::uint64_t position = 0;
  bool is_durable = false;
  std::shared_ptr<const byte_buffer> bytes = {};
};

// What a real run does to a real disk, in the order in which it happened, so that any moment of it
// can be made a crash on a simulated one. Reads and failures are not recorded: a run whose disk
// fails is no recording. A sync is put down when it begins and promises only what had ended by
// then, so an image may lose more than the real disk would, never less. Any thread.
class disk_recording {
 public:
  void add(recorded what);
  void note(std::uint64_t number, std::uint64_t value);
  std::uint64_t next_number();

  // Of operations that must stand in the recording as they took effect.
  std::mutex& order() { return order_; }

  // After the run.
  const std::vector<recorded>& operations() const { return operations_; }

 private:
  std::mutex order_;
  std::mutex mutex_;  // guards what follows
  std::vector<recorded> operations_;
  std::uint64_t next_number_ = 1;
};

// A disk that puts down what is done to it. Directories are what they are on `real`.
std::unique_ptr<io::file_system> make_recording_disk(io::file_system& real, disk_recording& into);

// An engine for the files of a recording disk: `real` does the work.
std::unique_ptr<io::engine> make_recording_engine(io::engine& real, disk_recording& into);

// Does to a simulated disk what was done up to the moment: `count` operations. Writes that the
// engine had not ended are under way while the answer lives.
class replayed_recording {
 public:
  replayed_recording(const disk_recording& recording, std::size_t count, io::sim::disk& onto);

 private:
  void apply(const recorded& what, io::sim::disk& onto);
  io::sim::disk_file& file(std::uint64_t number);

  struct under_way {
    std::uint64_t file = 0;
    const recorded* begun = nullptr;
    std::shared_ptr<const io::sim::stored_bytes::write_under_way> held;
  };
  std::map<std::uint64_t, std::unique_ptr<io::file>> files_;
  std::map<std::uint64_t, under_way> writes_;
};

}  // namespace ringlog::sim
