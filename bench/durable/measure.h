#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "turn.h"

namespace ringlog::bench {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point begin);

// A time limit for a turn's loop.
steady::time_point end_after(double seconds);

// How long single operations took.
class latencies {
 public:
  void add(steady::duration took);
  std::size_t count() const { return nanoseconds_.size(); }
  void report_to(report& figures, std::string_view prefix);  // <prefix>_us_p50, _p99, _p999, _max

 private:
  std::vector<std::uint32_t> nanoseconds_;
};

// Counts the system calls of this process, threads made later included, by the kernel's
// raw_syscalls:sys_enter tracepoint. Needs root (or perf_event_paranoid -1) and tracefs; without
// them there is no count.
class system_call_counter {
 public:
  system_call_counter();
  ~system_call_counter();
  system_call_counter(const system_call_counter&) = delete;
  system_call_counter& operator=(const system_call_counter&) = delete;

  std::optional<std::int64_t> count() const;

 private:
  int descriptor_ = -1;
};

// What the timed part of a turn cost this process, all its threads together. Made before the
// system under measurement is opened, so that its threads are counted; begin() starts the time.
class usage {
 public:
  void begin();
  double seconds() const { return seconds_since(began_); }

  // Ends the timed part: seconds, records and bytes per second, CPU seconds per GB, system calls
  // per MB and per operation. `bytes` are those of the records' values; 1 MB is 10^6 bytes.
  void end(report& figures, std::int64_t operations, std::int64_t records, std::int64_t bytes);

 private:
  system_call_counter calls_;
  steady::time_point began_;
  double cpu_began_ = 0;
  std::optional<std::int64_t> calls_began_;
};

// Memory and open descriptors of this process now.
void report_footprint(report& figures);

}  // namespace ringlog::bench
