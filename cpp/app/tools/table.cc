#include "app/tools/table.h"

#include <fmt/ostream.h>

#include <algorithm>

namespace ringlog::app {
namespace {

// Code points: what stands in a column of a terminal, near enough.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char each) { return (each & 0xC0) != 0x80; }));
}

}  // namespace

void table::print(std::ostream& target) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    fmt::print(target, "{}\n", line);
  }
}

}  // namespace ringlog::app
