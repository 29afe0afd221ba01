#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace ringlog::app {

// Rows under a heading, in columns as wide as what they hold.
class table {
 public:
  explicit table(std::vector<std::string> heading) : rows_{std::move(heading)} {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }

  void print(std::ostream& target) const;

 private:
  std::vector<std::vector<std::string>> rows_;  // all of the heading's length
};

}  // namespace ringlog::app
