#pragma once

// What storage tests run on: real files in a directory of their own, a real engine on its thread,
// a clock that the test sets.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "io/make_engine.h"
#include "io/posix_file_system.h"
#include "io/system_clock.h"
#include "storage/log_manager.h"

namespace ringlog::storage {

// Wall time stands where the test puts it; timers follow the system's monotonic clock.
class manual_clock final : public clock {
 public:
  std::int64_t wall_ms() const override { return wall_ms_; }
  monotonic_time now() const override { return system_.now(); }
  void set_wall_ms(std::int64_t now) { wall_ms_ = now; }

 private:
  io::system_clock system_;
  std::atomic<std::int64_t> wall_ms_{1'795'241'900'000};
};

// Keeps what was logged, for tests that expect a message.
class recording_sink final : public log_sink {
 public:
  void write(log_level, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    text_ += std::string(message) + "\n";
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class engine_thread {
 public:
  engine_thread(const clock& time, log_sink& sink)
      : engine_(io::make_engine(io::engine_choice_from_environment().value(), time, sink).value()),
        thread_([this] { engine_->run(); }) {}
  ~engine_thread() { halt(); }

  // What is under way ends; nothing new runs.
  void halt() {
    engine_->stop();
    if (thread_.joinable()) thread_.join();
  }
  io::engine& engine() { return *engine_; }

 private:
  std::unique_ptr<io::loop> engine_;
  std::thread thread_;
};

class scratch_directory {
 public:
  scratch_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "ringlog-storage-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr, "no scratch directory", name);
    path_ = name;
  }
  ~scratch_directory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Waits for what a completion brings.
template <typename T, typename Start>  // Start(callback<void(T)>)
T await(Start&& start) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  start([promise](T outcome) { promise->set_value(std::move(outcome)); });
  if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
    ADD_FAILURE() << "no completion within a minute";
    std::abort();
  }
  return future.get();
}

inline const directory_identity test_identity{"test-cluster-0123456789", node_id_t(1), uuid{}};

// Everything that a log_manager needs, and ways to open and close one.
class storage_environment {
 protected:
  services outside() { return {*used_disk_, engine_->engine(), clock_, random_, sink_}; }

  result<std::unique_ptr<log_manager>> try_open(const std::string& directory,
                                                bool read_only = false) {
    log_manager_options options;
    options.directory = directory;
    options.read_only = read_only;
    if (!read_only) options.format = test_identity;
    return log_manager::open(outside(), options);
  }

  std::unique_ptr<log_manager> open(const std::string& directory, bool read_only = false) {
    auto opened = try_open(directory, read_only);
    EXPECT_TRUE(opened.ok()) << opened.failure().message;
    return std::move(*opened);
  }

  static status close(std::unique_ptr<log_manager> manager) {
    return await<status>([&](callback<void(status)> done) { manager->close(std::move(done)); });
  }

  // Another engine, once the managers on the halted one are gone.
  void restart_engine() {
    engine_.reset();
    engine_ = std::make_unique<engine_thread>(clock_, sink_);
  }

  manual_clock clock_;
  recording_sink sink_;
  io::posix_file_system disk_;
  io::file_system* used_disk_ = &disk_;
  seeded_random random_{1};
  std::unique_ptr<engine_thread> engine_ = std::make_unique<engine_thread>(clock_, sink_);
  scratch_directory scratch_;
};

class storage_test : public storage_environment, public ::testing::Test {};

}  // namespace ringlog::storage
