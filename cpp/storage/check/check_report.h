#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/types.h"

namespace ringlog::storage {

inline constexpr std::int64_t findings_per_file_max = 20;

enum class finding_severity : std::uint8_t {
  note,    // worth knowing; nothing is wrong
  fault,   // a file is wrong that can be made again from others
  damage,  // data is wrong or lost
};

std::string_view name_of(finding_severity severity);

// One thing that a check found, and where.
struct finding {
  finding_severity severity = finding_severity::note;
  std::string path = {};
  std::optional<std::int64_t> position = {};  // byte in the file
  std::optional<offset_t> offset = {};
  std::string text = {};    // a sentence
  std::string remedy = {};  // what a repair would do, or what the user can do; none for most notes
};

// What an error says, without the path that it begins with.
std::string sentence_of(const error& failure, const std::string& path);

// A change that makes a file right again.
struct repair_step {
  std::string plan;  // a sentence
  std::function<status()> run;
};

// What `ringlog check` comes to: filled by the checks of storage and metadata, read by who prints
// it. Of one file a few findings are kept and the others counted, so that a directory of ruins
// needs no more memory than a good one. One thread.
class check_report {
 public:
  void add(finding found);

  // `run` is called after the whole check, in the order of these calls, or never. What it needs
  // outlives the report.
  void plan(std::string sentence, std::function<status()> run);

  // What was planned so far does not fit to what was found now.
  void drop_plans() { steps_.clear(); }

  const std::vector<finding>& findings() const { return findings_; }
  const std::vector<repair_step>& steps() const { return steps_; }

  // With those that were not kept.
  std::int64_t count(finding_severity severity) const;
  std::int64_t left_out() const { return left_out_; }
  bool is_clean() const;  // notes at most

 private:
  std::vector<finding> findings_;
  std::vector<repair_step> steps_;
  std::array<std::int64_t, 3> counts_{};
  std::map<std::string, std::int64_t> per_file_;
  std::int64_t left_out_ = 0;
};

}  // namespace ringlog::storage
