#include "app/check.h"

#include <fmt/ostream.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/content_hash.h"
#include "node/check_directory.h"
#include "storage/journal/journal_damage.h"

namespace ringlog::app {

namespace {

using json = nlohmann::ordered_json;
using storage::finding;
using storage::finding_severity;

constexpr int status_clean = 0;
constexpr int status_wrong = 1;
constexpr int status_failed = 2;

// One check of the directory, with what it took.
struct finished_check {
  std::unique_ptr<node::directory_check> found;
  std::unique_ptr<content_hash> content;  // with --summary
  double seconds = 0;
};

struct totals {
  std::int64_t segments = 0;
  std::int64_t batches = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
};

totals totals_of(const node::directory_check& found) {
  totals sum;
  for (const auto& one : found.partitions) {
    sum.segments += one.segments;
    sum.batches += one.batches;
    sum.records += one.records;
    sum.bytes += one.bytes;
  }
  return sum;
}

// As it reads from inside the log directory.
std::string place_of(const finding& one, const node::directory_check& found) {
  const std::string inside = found.layout.log_directory + "/";
  return one.path.starts_with(inside) ? one.path.substr(inside.size()) : one.path;
}

void print_text(const finished_check& done, const check_options& options, std::ostream& out) {
  const node::directory_check& found = *done.found;
  if (options.verbose) {
    for (const auto& one : found.partitions) {
      fmt::print(out, "{}: offsets {} to {}, {} segments, {} batches, {} records, {} bytes\n",
                 one.name.to_string(), one.log_start, one.log_end, one.segments, one.batches,
                 one.records, one.bytes);
    }
  }
  if (options.summary) {
    for (const auto& one : found.partitions) {
      const content_summary sum = done.content->summary_of(one.name);
      fmt::print(out, "{}: {} records, {} bytes, xxh3 {:016x}\n", one.name.to_string(), sum.records,
                 sum.bytes, sum.xxh3);
    }
  }
  for (const finding& one : found.report.findings()) {
    fmt::print(out, "{}: {}", name_of(one.severity), place_of(one, found));
    if (one.position) fmt::print(out, ", byte {}", *one.position);
    if (one.offset) fmt::print(out, ", offset {}", *one.offset);
    fmt::print(out, ": {}\n", one.text);
    if (!one.remedy.empty()) fmt::print(out, "    {}\n", one.remedy);
  }
  if (found.report.left_out() > 0) {
    fmt::print(out, "and {} more like these\n", found.report.left_out());
  }
  const totals sum = totals_of(found);
  fmt::print(out,
             "{}: {} partitions, {} segments, {} batches, {} records, {} bytes in {:.2f} s: {} "
             "damage, {} faults, {} notes\n",
             found.layout.log_directory, found.partitions.size(), sum.segments, sum.batches,
             sum.records, sum.bytes, done.seconds, found.report.count(finding_severity::damage),
             found.report.count(finding_severity::fault),
             found.report.count(finding_severity::note));
}

json to_json(const finished_check& done) {
  const node::directory_check& found = *done.found;
  json findings = json::array();
  for (const finding& one : found.report.findings()) {
    json entry{{"severity", name_of(one.severity)}, {"file", place_of(one, found)}};
    entry["position"] = one.position ? json(*one.position) : json();
    entry["offset"] = one.offset ? json(one.offset->value()) : json();
    entry["text"] = one.text;
    entry["remedy"] = one.remedy;
    findings.push_back(std::move(entry));
  }
  const storage::replayed_journal& replayed = found.journal.replayed;
  json journal{{"closed", !found.journal.is_open}, {"blocks", replayed.blocks},
               {"batches", replayed.batches},      {"partitions", replayed.partitions},
               {"bytes", replayed.bytes},          {"lostBlocks", json::array()},
               {"doubtful", json::array()}};
  if (replayed.damage != nullptr) {
    for (const auto& lost : replayed.damage->blocks) {
      journal["lostBlocks"].push_back({{"first", lost.first}, {"last", lost.last}});
    }
    for (const auto& [name, doubt] : replayed.damage->logs) {
      journal["doubtful"].push_back({{"topic", name.topic},
                                     {"partition", name.partition.value()},
                                     {"end", doubt.end.value()},
                                     {"resumes", doubt.resumes.value()},
                                     {"resumedEnd", doubt.resumed_end.value()}});
    }
  }
  json partitions = json::array();
  for (const auto& one : found.partitions) {
    partitions.push_back({{"topic", one.name.topic},
                          {"partition", one.name.partition.value()},
                          {"logStart", one.log_start.value()},
                          {"logEnd", one.log_end.value()},
                          {"segments", one.segments},
                          {"batches", one.batches},
                          {"records", one.records},
                          {"bytes", one.bytes}});
    if (done.content == nullptr) continue;
    const content_summary sum = done.content->summary_of(one.name);
    partitions.back()["content"] = {
        {"records", sum.records}, {"bytes", sum.bytes}, {"xxh3", fmt::format("{:016x}", sum.xxh3)}};
  }
  const totals sum = totals_of(found);
  return {{"directory", found.layout.top},
          {"logDirectory", found.layout.log_directory},
          {"clean", found.report.is_clean()},
          {"damage", found.report.count(finding_severity::damage)},
          {"faults", found.report.count(finding_severity::fault)},
          {"notes", found.report.count(finding_severity::note)},
          {"partitionCount", found.partitions.size()},
          {"segments", sum.segments},
          {"batches", sum.batches},
          {"records", sum.records},
          {"bytes", sum.bytes},
          {"seconds", done.seconds},
          {"journal", std::move(journal)},
          {"findings", std::move(findings)},
          {"findingsLeftOut", found.report.left_out()},
          {"partitions", std::move(partitions)}};
}

result<finished_check> run(io::file_system& disk, const clock& time, const std::string& path,
                           bool summary) {
  const monotonic_time begin = time.now();
  finished_check done;
  node::partition_visitor visit;
  if (summary) {
    done.content = std::make_unique<content_hash>();
    visit = [&](const topic_partition& name) { return done.content->visitor_of(name); };
  }
  TRY_ASSIGN(done.found, node::check_directory(disk, path, visit));
  done.seconds = std::chrono::duration<double>(time.now() - begin).count();
  return done;
}

int status_of(const finished_check& done) {
  return done.found->report.is_clean() ? status_clean : status_wrong;
}

// The plan, and with `yes` its work, under the lock of the check. True when it was all done.
result<bool> repair(const finished_check& done, bool yes) {
  if (!done.found->no_repair.empty()) {
    return make_error(error_code::unsupported, "{}", done.found->no_repair);
  }
  if (!yes) return false;
  for (const storage::repair_step& step : done.found->report.steps()) {
    status made = step.run();
    if (!made.ok()) return std::move(made.failure()).with_context("could not " + step.plan);
  }
  return true;
}

void print_plan(const finished_check& done, bool yes, std::ostream& out) {
  const auto& steps = done.found->report.steps();
  fmt::print(out, "repair: {} steps\n", steps.size());
  for (const storage::repair_step& step : steps) fmt::print(out, "  {}\n", step.plan);
  if (!yes && !steps.empty()) fmt::print(out, "nothing was changed: --yes does it\n");
}

json plan_of(const finished_check& done) {
  json plan = json::array();
  for (const storage::repair_step& step : done.found->report.steps()) plan.push_back(step.plan);
  return plan;
}

std::string line_of(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

int check(io::file_system& disk, const clock& time, const std::string& path,
          const check_options& options, std::ostream& out, std::ostream& errors) {
  const auto fail = [&](const error& cause) {
    fmt::print(errors, "ringlog check: {}\n", cause.message);
    return status_failed;
  };
  auto first = run(disk, time, path, options.summary);
  if (!first.ok()) return fail(first.failure());
  json object = options.json ? to_json(*first) : json();
  if (!options.json) print_text(*first, options, out);
  int outcome = status_of(*first);
  if (options.repair) {
    if (options.json) object["repair"] = {{"plan", plan_of(*first)}, {"done", false}};
    if (!options.json) print_plan(*first, options.yes, out);
    out.flush();
    const auto repaired = repair(*first, options.yes);
    if (!repaired.ok()) return fail(repaired.failure());
    if (*repaired && !first->found->report.steps().empty()) {
      first->found.reset();  // and with it the lock
      const auto second = run(disk, time, path, options.summary);
      if (!second.ok()) return fail(second.failure());
      outcome = status_of(*second);
      if (options.json) {
        object["repair"]["done"] = true;
        object["repair"]["after"] = to_json(*second);
      } else {
        fmt::print(out, "repaired; checked again:\n");
        print_text(*second, options, out);
      }
    }
  }
  if (options.json) fmt::print(out, "{}\n", line_of(object));
  return outcome;
}

}  // namespace ringlog::app
