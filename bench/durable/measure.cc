#include "measure.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

namespace ringlog::bench {
namespace {

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::optional<std::uint64_t> tracepoint_id() {
  constexpr const char* tracefs = "/sys/kernel/tracing";
  const auto read = []() -> std::optional<std::uint64_t> {
    std::ifstream file(std::string(tracefs) + "/events/raw_syscalls/sys_enter/id");
    std::uint64_t id = 0;
    if (file >> id) return id;
    return std::nullopt;
  };
  if (const auto id = read()) return id;
  // Not mounted: mount it for this process alone.
  if (::unshare(CLONE_NEWNS) != 0) return std::nullopt;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return std::nullopt;
  if (::mount("tracefs", tracefs, "tracefs", 0, nullptr) != 0) return std::nullopt;
  return read();
}

}  // namespace

double seconds_since(steady::time_point begin) {
  return std::chrono::duration<double>(steady::now() - begin).count();
}

steady::time_point end_after(double seconds) {
  return steady::now() +
         std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
}

void latencies::add(steady::duration took) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t count = std::chrono::nanoseconds(took).count();
  nanoseconds_.push_back(static_cast<std::uint32_t>(std::min(count, most)));
}

void latencies::report_to(report& figures, std::string_view prefix) {
  if (nanoseconds_.empty()) fail("nothing was measured: give it more seconds");
  std::sort(nanoseconds_.begin(), nanoseconds_.end());
  const auto add = [&](std::string_view name, double part) {
    const auto last = nanoseconds_.size() - 1;
    const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(last)));
    figures.add(fmt::format("{}_us_{}", prefix, name), nanoseconds_[rank] / 1e3);
  };
  add("p50", 0.5);
  add("p99", 0.99);
  add("p999", 0.999);
  add("max", 1);
}

system_call_counter::system_call_counter() {
  const auto id = tracepoint_id();
  if (!id) return;
  perf_event_attr event{};
  event.type = PERF_TYPE_TRACEPOINT;
  event.size = sizeof event;
  event.config = *id;
  event.inherit = 1;
  const long opened = ::syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  descriptor_ = static_cast<int>(opened);
}

system_call_counter::~system_call_counter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<std::int64_t> system_call_counter::count() const {
  std::int64_t calls = 0;
  if (descriptor_ < 0 || ::read(descriptor_, &calls, sizeof calls) != sizeof calls) {
    return std::nullopt;
  }
  return calls;
}

void usage::begin() {
  calls_began_ = calls_.count();
  cpu_began_ = cpu_seconds();
  began_ = steady::now();
}

void usage::end(report& figures, std::int64_t operations, std::int64_t records,
                std::int64_t bytes) {
  const double wall = seconds();
  const double cpu = cpu_seconds() - cpu_began_;
  const auto calls = calls_.count();
  const auto amount = static_cast<double>(bytes);
  figures.add("seconds", wall);
  figures.add("operations", static_cast<double>(operations));
  figures.add("records_per_second", static_cast<double>(records) / wall);
  figures.add("mb_per_second", amount / 1e6 / wall);
  figures.add("cpu_seconds_per_gb", cpu / (amount / 1e9));
  if (!calls || !calls_began_) return;
  const auto made = static_cast<double>(*calls - *calls_began_);
  figures.add("system_calls_per_mb", made / (amount / 1e6));
  figures.add("system_calls_per_operation", made / static_cast<double>(operations));
}

void report_footprint(report& figures) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == "VmRSS:" && status >> kib) figures.add("memory_bytes", kib * 1024);
    if (word == "VmHWM:" && status >> kib) figures.add("memory_bytes_max", kib * 1024);
  }
  const std::filesystem::directory_iterator open("/proc/self/fd");
  const auto count = std::distance(begin(open), end(open)) - 1;  // without the iterator's own
  figures.add("descriptors", static_cast<double>(count));
}

}  // namespace ringlog::bench
