#include "app/tools/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ringlog::app {
namespace {

constexpr milliseconds redraw_interval{200};
constexpr std::int64_t bar_width = 30;

}  // namespace

progress::progress(std::string what, std::int64_t total, const clock& time)
    : what_(std::move(what)),
      total_(total),
      time_(time),
      is_watched_(::isatty(STDERR_FILENO) == 1) {}

progress::~progress() { clear(); }

void progress::show(std::int64_t done) {
  if (!is_watched_ || time_.now() < next_) return;
  next_ = time_.now() + redraw_interval;
  std::string line = fmt::format("{}: {}", what_, done);
  if (total_ > 0) {
    const std::int64_t part = std::min(done, total_);
    const auto filled = static_cast<std::size_t>(part * bar_width / total_);
    line = fmt::format("{}: [{:<{}}] {:>3} %  {} of {}", what_, std::string(filled, '#'), bar_width,
                       part * 100 / total_, done, total_);
  }
  clear();
  fmt::print(stderr, "\r{}", line);
  width_ = line.size();
}

void progress::clear() {
  if (width_ > 0) fmt::print(stderr, "\r{:{}}\r", "", width_);
  width_ = 0;
}

}  // namespace ringlog::app
