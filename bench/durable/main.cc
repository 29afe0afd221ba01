// One turn of bench/durable: ringlog_bench_durable TURN folder=PATH seconds=N name=value ...

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "measure.h"
#include "raw_file.h"
#include "turn.h"

namespace ringlog::bench {

void fail(std::string_view message) {
  fmt::print(stderr, "{}\n", message);
  std::_Exit(1);  // the log's threads may be at work: nothing is destroyed under them
}

void skip(std::string_view why) {
  report figures;
  figures.add_text("skipped", why);
  figures.print();
  std::_Exit(0);
}

parameters::parameters(int count, char** words) {
  for (int i = 0; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (equals == std::string::npos) fail(fmt::format("'{}' is not name=value", word));
    values_[word.substr(0, equals)] = word.substr(equals + 1);
  }
}

const std::string& parameters::text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) fail(fmt::format("{}= is missing", name));
  return found->second;
}

std::int64_t parameters::number(const std::string& name) const {
  return std::strtoll(text(name).c_str(), nullptr, 10);
}

double parameters::seconds() const { return std::strtod(text("seconds").c_str(), nullptr); }

void report::add(std::string_view name, double value) {
  members_.push_back(fmt::format("\"{}\": {:.9g}", name, value));
}

void report::add_text(std::string_view name, std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') escaped += '\\';
    escaped += letter == '\n' ? ' ' : letter;
  }
  members_.push_back(fmt::format("\"{}\": \"{}\"", name, escaped));
}

void report::print() const {
  fmt::print("{{{}}}\n", fmt::join(members_, ", "));
  std::fflush(stdout);
}

}  // namespace ringlog::bench

int main(int count, char** words) {
  using namespace ringlog::bench;
  struct {
    std::string_view name;
    void (*run)(const parameters&, report&);
  } constexpr turns[] = {
      {"raw_write", raw_write},   {"raw_read", raw_read}, {"single", single}, {"batches", batches},
      {"partitions", partitions}, {"fill", fill},         {"reopen", reopen}, {"journal", journal},
  };
  for (const auto& turn : turns) {
    if (count < 2 || words[1] != turn.name) continue;
    const parameters given(count - 2, words + 2);
    report figures;
    report_raw_flush(given, figures);
    turn.run(given, figures);
    figures.print();
    return 0;
  }
  fail("usage: ringlog_bench_durable TURN folder=PATH seconds=N name=value ...; see durable.py");
}
