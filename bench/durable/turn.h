#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// A benchmark is made of turns: each runs in a process of its own, in an empty folder, for some
// seconds, and prints one line of JSON. durable.py says which turns there are and in what order.
namespace ringlog::bench {

// Ends the process with the message on standard error.
[[noreturn]] void fail(std::string_view message);

// Ends the process with {"skipped": why}: this machine or build lacks what the turn needs.
[[noreturn]] void skip(std::string_view why);

template <typename T>
T need(result<T> outcome) {
  if (!outcome.ok()) fail(outcome.failure().message);
  return std::move(outcome).value();
}
inline void need(const status& outcome) {
  if (!outcome.ok()) fail(outcome.failure().message);
}

// What a turn is asked: name=value from the command line. A missing name ends the process.
class parameters {
 public:
  parameters(int count, char** words);

  const std::string& text(const std::string& name) const;
  std::int64_t number(const std::string& name) const;
  double seconds() const;
  const std::string& folder() const { return text("folder"); }

 private:
  std::map<std::string, std::string> values_;
};

// The figures of a turn, in the order in which they were added. Names end in their unit.
class report {
 public:
  void add(std::string_view name, double value);
  void add_text(std::string_view name, std::string_view text);
  void print() const;  // one line of JSON on standard output, flushed

 private:
  std::vector<std::string> members_;
};

// The turns; each in the file that its name says.
void raw_write(const parameters& given, report& figures);
void raw_read(const parameters& given, report& figures);
void single(const parameters& given, report& figures);
void batches(const parameters& given, report& figures);
void partitions(const parameters& given, report& figures);
void fill(const parameters& given, report& figures);
void reopen(const parameters& given, report& figures);
void journal(const parameters& given, report& figures);

}  // namespace ringlog::bench
