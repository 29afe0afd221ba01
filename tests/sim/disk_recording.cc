#include "disk_recording.h"

namespace ringlog::sim {
namespace {

std::shared_ptr<const byte_buffer> copy_of(bytes_view bytes) {
  return std::make_shared<const byte_buffer>(bytes.begin(), bytes.end());
}

class recording_file final : public io::file {
 public:
  recording_file(std::unique_ptr<io::file> real, std::uint64_t number, disk_recording& into)
      : real_(std::move(real)), number_(number), into_(into) {}

  io::file& real() { return *real_; }
  std::uint64_t number() const { return number_; }

  result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) override {
    return real_->read_at(position, target);
  }
  status write_at(std::uint64_t position, bytes_view source) override {
    into_.add({.what = recorded::kind::write,
               .file = number_,
               .position = position,
               .bytes = copy_of(source)});
    return real_->write_at(position, source);
  }
  status sync() override {
    into_.add({.what = recorded::kind::sync, .file = number_});
    return real_->sync();
  }
  status resize(std::uint64_t size) override {
    into_.add({.what = recorded::kind::resize, .file = number_, .position = size});
    return real_->resize(size);
  }
  status reserve(std::uint64_t size) override { return real_->reserve(size); }
  result<std::uint64_t> size() const override { return real_->size(); }
  const std::string& path() const override { return real_->path(); }
  int descriptor() const override { return real_->descriptor(); }
  bool is_direct() const override { return real_->is_direct(); }

 private:
  std::unique_ptr<io::file> real_;
  const std::uint64_t number_;
  disk_recording& into_;
};

class recording_disk final : public io::file_system {
 public:
  recording_disk(io::file_system& real, disk_recording& into) : real_(real), into_(into) {}

  result<std::unique_ptr<io::file>> open(const std::string& path, io::open_mode mode) override {
    const std::lock_guard held(into_.order());
    return opened(real_.open(path, mode), path, mode);
  }
  result<std::unique_ptr<io::file>> open_direct(const std::string& path) override {
    const std::lock_guard held(into_.order());
    return opened(real_.open_direct(path), path, io::open_mode::read_write);
  }
  result<std::vector<io::directory_entry>> list(const std::string& path) override {
    return real_.list(path);
  }
  result<bool> exists(const std::string& path) override { return real_.exists(path); }
  status make_directories(const std::string& path) override {
    return in_order({.what = recorded::kind::make_directories, .path = path},
                    [&] { return real_.make_directories(path); });
  }
  status rename(const std::string& source, const std::string& target) override {
    return in_order({.what = recorded::kind::rename, .path = source, .target = target},
                    [&] { return real_.rename(source, target); });
  }
  status remove(const std::string& path) override {
    return in_order({.what = recorded::kind::remove, .path = path},
                    [&] { return real_.remove(path); });
  }
  status remove_tree(const std::string& path) override {
    return in_order({.what = recorded::kind::remove_tree, .path = path},
                    [&] { return real_.remove_tree(path); });
  }
  status sync_directory(const std::string& path) override {
    return in_order({.what = recorded::kind::sync_directory, .path = path},
                    [&] { return real_.sync_directory(path); });
  }
  result<std::unique_ptr<io::file_lock>> lock(const std::string& path) override {
    return real_.lock(path);
  }
  result<space> measure_space(const std::string& path) override {
    return real_.measure_space(path);
  }
  result<identity> identify(const std::string& path) override { return real_.identify(path); }

 private:
  result<std::unique_ptr<io::file>> opened(result<std::unique_ptr<io::file>> real,
                                           const std::string& path, io::open_mode mode) {
    if (!real.ok()) return std::move(real.failure());
    const std::uint64_t number = into_.next_number();
    into_.add({.what = recorded::kind::open, .path = path, .mode = mode, .file = number});
    return std::unique_ptr<io::file>(
        std::make_unique<recording_file>(std::move(*real), number, into_));
  }

  // What failed did not happen.
  template <typename Effect>
  status in_order(recorded what, Effect effect) {
    const std::lock_guard held(into_.order());
    TRY(effect());
    into_.add(std::move(what));
    return {};
  }

  io::file_system& real_;
  disk_recording& into_;
};

class recording_engine final : public io::engine {
 public:
  recording_engine(io::engine& real, disk_recording& into) : real_(real), into_(into) {}

  void post(task work) override { real_.post(std::move(work)); }
  void post_aside(task work) override { real_.post_aside(std::move(work)); }
  timer_id schedule_at(monotonic_time time, task work) override {
    return real_.schedule_at(time, std::move(work));
  }
  bool cancel(timer_id id) override { return real_.cancel(id); }

  void write(io::file& target, std::uint64_t position, std::vector<bytes_view> parts, bool durable,
             completion done) override {
    auto& recording = dynamic_cast<recording_file&>(target);
    byte_buffer joined;
    for (const bytes_view part : parts) joined.insert(joined.end(), part.begin(), part.end());
    const std::uint64_t number = into_.next_number();
    into_.add({.what = recorded::kind::begin_write,
               .file = recording.number(),
               .number = number,
               .position = position,
               .bytes = std::make_shared<const byte_buffer>(std::move(joined))});
    real_.write(
        recording.real(), position, std::move(parts), durable,
        [this, number, durable, done = std::move(done)](status outcome) mutable {
          into_.add({.what = recorded::kind::end_write, .number = number, .is_durable = durable});
          done(std::move(outcome));
        });
  }
  void sync(io::file& target, completion done) override {
    auto& recording = dynamic_cast<recording_file&>(target);
    into_.add({.what = recorded::kind::sync, .file = recording.number()});
    real_.sync(recording.real(), std::move(done));
  }
  void read(io::file& source, std::uint64_t position, mutable_bytes target,
            read_completion done) override {
    real_.read(dynamic_cast<recording_file&>(source).real(), position, target, std::move(done));
  }
  // What it does goes through the recording disk.
  void run_blocking(callback<status()> work, completion done) override {
    real_.run_blocking(std::move(work), std::move(done));
  }
  std::string_view name() const override { return real_.name(); }

 private:
  io::engine& real_;
  disk_recording& into_;
};

void need(const status& outcome) {
  CHECK(outcome.ok(), "a recording is replayed otherwise:", outcome.failure().message);
}

}  // namespace

void disk_recording::add(recorded what) {
  const std::lock_guard guard(mutex_);
  operations_.push_back(std::move(what));
}

void disk_recording::note(std::uint64_t number, std::uint64_t value) {
  add({.what = recorded::kind::note, .number = number, .position = value});
}

std::uint64_t disk_recording::next_number() {
  const std::lock_guard guard(mutex_);
  return next_number_++;
}

std::unique_ptr<io::file_system> make_recording_disk(io::file_system& real, disk_recording& into) {
  return std::make_unique<recording_disk>(real, into);
}

std::unique_ptr<io::engine> make_recording_engine(io::engine& real, disk_recording& into) {
  return std::make_unique<recording_engine>(real, into);
}

replayed_recording::replayed_recording(const disk_recording& recording, std::size_t count,
                                       io::sim::disk& onto) {
  for (std::size_t i = 0; i < count; ++i) apply(recording.operations()[i], onto);
}

io::sim::disk_file& replayed_recording::file(std::uint64_t number) {
  return dynamic_cast<io::sim::disk_file&>(*files_.at(number));
}

void replayed_recording::apply(const recorded& what, io::sim::disk& onto) {
  switch (what.what) {
    case recorded::kind::make_directories:
      return need(onto.make_directories(what.path));
    case recorded::kind::open: {
      auto opened = onto.open(what.path, what.mode);
      CHECK(opened.ok(), "a recording is replayed otherwise:", opened.failure().message);
      files_[what.file] = std::move(*opened);
      return;
    }
    case recorded::kind::write:
      return need(file(what.file).write_at(what.position, *what.bytes));
    case recorded::kind::begin_write:
      writes_[what.number] = {what.file, &what,
                              file(what.file).begin_write(what.position, *what.bytes)};
      return;
    case recorded::kind::end_write: {
      const under_way ended = std::move(writes_.at(what.number));
      writes_.erase(what.number);
      const recorded& begun = *ended.begun;
      return need(what.is_durable ? file(ended.file).write_durable(begun.position, *begun.bytes)
                                  : file(ended.file).write_at(begun.position, *begun.bytes));
    }
    case recorded::kind::sync:
      return need(file(what.file).sync());
    case recorded::kind::resize:
      return need(file(what.file).resize(what.position));
    case recorded::kind::rename:
      return need(onto.rename(what.path, what.target));
    case recorded::kind::remove:
      return need(onto.remove(what.path));
    case recorded::kind::remove_tree:
      return need(onto.remove_tree(what.path));
    case recorded::kind::sync_directory:
      return need(onto.sync_directory(what.path));
    case recorded::kind::note:
      return;
  }
}

}  // namespace ringlog::sim
