#include "storage/check/check_report.h"

#include <array>

namespace ringlog::storage {

std::string_view name_of(finding_severity severity) {
  constexpr std::array<std::string_view, 3> names = {"note", "fault", "damage"};
  return names[static_cast<std::size_t>(severity)];
}

std::string sentence_of(const error& failure, const std::string& path) {
  const std::string prefix = path + ": ";
  return failure.message.starts_with(prefix) ? failure.message.substr(prefix.size())
                                             : failure.message;
}

void check_report::add(finding found) {
  ++counts_[static_cast<std::size_t>(found.severity)];
  if (++per_file_[found.path] > findings_per_file_max) {
    ++left_out_;
    return;
  }
  findings_.push_back(std::move(found));
}

void check_report::plan(std::string sentence, std::function<status()> run) {
  steps_.push_back({std::move(sentence), std::move(run)});
}

std::int64_t check_report::count(finding_severity severity) const {
  return counts_[static_cast<std::size_t>(severity)];
}

bool check_report::is_clean() const {
  return count(finding_severity::fault) == 0 && count(finding_severity::damage) == 0;
}

}  // namespace ringlog::storage
