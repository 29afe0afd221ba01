// `ringlog check` as the program runs it, on Kafka's own directories: metadata against partitions,
// records of internal topics, exit status, text and JSON, repair.

#include "app/check.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

#include "golden.h"
#include "io/posix_file_system.h"
#include "io/system_clock.h"
#include "model/batch_builder.h"

namespace ringlog::app {
namespace {

namespace fs = std::filesystem;
using golden::json;

class check_command_test : public ::testing::Test {
 protected:
  int run(const fs::path& directory, check_options options = {}) {
    std::ostringstream out;
    std::ostringstream errors;
    status_ = check(disk_, time_, directory.string(), options, out, errors);
    out_ = out.str();
    errors_ = errors.str();
    return status_;
  }

  json run_json(const fs::path& directory, check_options options = {}) {
    options.json = true;
    run(directory, options);
    return json::parse(out_);
  }

  // The findings that are more than notes, as "severity file".
  static std::vector<std::string> wrong(const json& object) {
    std::vector<std::string> found;
    for (const json& one : object.at("findings")) {
      if (one.at("severity") == "note") continue;
      found.push_back(one.at("severity").get<std::string>() + " " +
                      one.at("file").get<std::string>());
    }
    return found;
  }

  io::posix_file_system disk_;
  io::system_clock time_;
  int status_ = -1;
  std::string out_;
  std::string errors_;
};

void write(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

// A partition of __consumer_offsets without records.
std::string unused_group_partition(const fs::path& log) {
  for (int number = 0; number < 50; ++number) {
    std::string name = "__consumer_offsets-" + std::to_string(number);
    const fs::path file = log / name / "00000000000000000000.log";
    if (fs::exists(file) && fs::file_size(file) == 0) return name;
  }
  return {};
}

TEST_F(check_command_test, KafkasCleanAndKilledDirectoriesAreClean) {
  GOLDEN_OR_SKIP();
  for (const char* which : {"clean", "killed"}) {
    const golden::directory unpacked(which);
    EXPECT_EQ(run(unpacked.path()), 0) << out_ << errors_;
    EXPECT_NE(out_.find(" 0 damage, 0 faults, "), std::string::npos) << out_;
    const json object = run_json(unpacked.path());
    EXPECT_TRUE(object.at("clean").get<bool>());
    EXPECT_EQ(object.at("partitionCount").get<std::size_t>(), object.at("partitions").size());
    std::int64_t records = 0;
    for (const json& one : object.at("partitions")) {
      records += one.at("records").get<std::int64_t>();
    }
    EXPECT_EQ(object.at("records").get<std::int64_t>(), records);
    const auto expected = golden::records(which);
    const json summed = run_json(unpacked.path(), {.summary = true});
    for (const json& one : summed.at("partitions")) {
      const auto found = expected.find({one.at("topic"), one.at("partition").get<int>()});
      if (found == expected.end() || found->second.front().offset > 0) continue;
      EXPECT_EQ(one.at("content").at("records").get<std::size_t>(), found->second.size())
          << one.dump();
    }
    EXPECT_GT(records, 0);
  }
}

// What is done to the clean directory, what is found, and what undoes it.
struct change {
  const char* name;
  std::string found;
  std::function<void(const fs::path&)> make;
  std::function<void(const fs::path&)> undo;
};

change rewritten(const char* name, const char* found, const std::string& file,
                 const std::string& content) {
  auto before = std::make_shared<std::string>();
  return {name, found,
          [=](const fs::path& log) {
            *before = to_string(golden::read_bytes(log / file));
            write(log / file, content);
          },
          [=](const fs::path& log) { write(log / file, *before); }};
}

TEST_F(check_command_test, WhatContradictsMetadataIsFound) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("clean");
  const std::vector<change> changes = {
      {"a directory of a topic that is not there", "fault nothing-0",
       [](const fs::path& log) { fs::copy(log / "g.txn-0", log / "nothing-0"); },
       [](const fs::path& log) { fs::remove_all(log / "nothing-0"); }},
      {"a partition past the topic's last", "fault g.txn-3",
       [](const fs::path& log) { fs::copy(log / "g.txn-0", log / "g.txn-3"); },
       [](const fs::path& log) { fs::remove_all(log / "g.txn-3"); }},
      {"a partition directory gone", "damage g.txn-0",
       [](const fs::path& log) { fs::rename(log / "g.txn-0", log.parent_path() / "away"); },
       [](const fs::path& log) { fs::rename(log.parent_path() / "away", log / "g.txn-0"); }},
      rewritten("another topic id", "fault g.txn-0", "g.txn-0/partition.metadata",
                "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAEA"),
      rewritten("quorum-state of nobody", "fault __cluster_metadata-0/quorum-state",
                "__cluster_metadata-0/quorum-state", "{}"),
  };
  for (const change& one : changes) {
    SCOPED_TRACE(one.name);
    one.make(unpacked.path());
    const json object = run_json(unpacked.path());
    EXPECT_EQ(wrong(object), std::vector<std::string>{one.found}) << object.dump(1);
    EXPECT_EQ(status_, 1);
    one.undo(unpacked.path());
  }
  EXPECT_EQ(run(unpacked.path()), 0) << out_;
}

TEST_F(check_command_test, ADamagedSnapshotAndABadGroupRecordAreFound) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("clean");
  model::batch_builder builder;
  const std::string key("\0\1\0\2g", 5);  // ends inside of the group's name
  builder.append(1'795'241'800'000, as_bytes(key), std::nullopt);
  const std::string partition = unused_group_partition(unpacked.path());
  ASSERT_FALSE(partition.empty());
  const std::string file = partition + "/00000000000000000000.log";
  write(unpacked.path() / file, to_string(std::move(builder).finish({})));
  const auto found_before = wrong(run_json(unpacked.path()));
  EXPECT_NE(std::ranges::find(found_before, "damage " + file), found_before.end()) << out_;
  write(unpacked.path() / file, "");

  std::string snapshot;
  for (const auto& entry : fs::recursive_directory_iterator(unpacked.path())) {
    if (entry.path().extension() == ".checkpoint") snapshot = entry.path().string();
  }
  fs::resize_file(snapshot, fs::file_size(snapshot) - 30);  // into the footer
  const auto name = fs::relative(snapshot, unpacked.path()).string();
  EXPECT_EQ(wrong(run_json(unpacked.path())), std::vector<std::string>{"damage " + name}) << out_;
}

TEST_F(check_command_test, RepairPlansFirstAndDoesItWhenTold) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("torn");
  EXPECT_EQ(run(unpacked.path()), 1);
  const std::string before = out_.substr(0, out_.find(" in "));
  EXPECT_EQ(run(unpacked.path(), {.repair = true}), 1);
  EXPECT_NE(out_.find("nothing was changed"), std::string::npos) << out_;
  EXPECT_EQ(run(unpacked.path()), 1);
  EXPECT_EQ(out_.substr(0, out_.find(" in ")), before) << "a plan alone changes nothing";
  EXPECT_EQ(run(unpacked.path(), {.repair = true, .yes = true}), 0) << out_;
  EXPECT_EQ(run(unpacked.path()), 0) << out_;
  const json object = run_json(unpacked.path(), {.repair = true, .yes = true});
  EXPECT_TRUE(object.at("repair").at("plan").empty());
}

TEST_F(check_command_test, WhatCannotBeCheckedIsTwo) {
  EXPECT_EQ(run("/nowhere/at/all"), 2);
  EXPECT_NE(errors_.find("/nowhere/at/all is no log directory"), std::string::npos) << errors_;
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("clean");
  write(unpacked.path() / ".lock", "");
  const auto held = disk_.lock((unpacked.path() / ".lock").string());
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(run(unpacked.path()), 2);
  EXPECT_NE(errors_.find(std::to_string(::getpid())), std::string::npos) << errors_;
}

}  // namespace
}  // namespace ringlog::app
