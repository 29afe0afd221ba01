// `ringlog dump` against what Kafka's DumpLogSegments says of the golden directories.

#include "app/dump.h"

#include <sstream>

#include "golden.h"
#include "io/posix_file_system.h"

namespace ringlog::app {
namespace {

class dump_test : public ::testing::Test {
 protected:
  void SetUp() override {
    GOLDEN_OR_SKIP();
    directory_ = std::make_unique<golden::directory>("killed");
  }

  std::vector<std::string> lines(const std::string& file, dump_format format,
                                 const dump_options& options = {}, bool fails = false) {
    std::ostringstream text;
    entry_writer target(text, format);
    const status dumped = dump(disk_, (directory_->path() / file).string(), options, target);
    EXPECT_EQ(dumped.ok(), !fails) << file;
    std::vector<std::string> found;
    std::istringstream all(text.str());
    for (std::string line; std::getline(all, line);) found.push_back(line);
    return found;
  }

  io::posix_file_system disk_;
  std::unique_ptr<golden::directory> directory_;
};

TEST_F(dump_test, IndexesAndSnapshotsReadAsKafkasOwnTool) {
  for (const char* name :
       {"index.txt", "timeindex.txt", "txnindex.txt", "producer_snapshots.txt"}) {
    for (const auto& [file, expected] : golden::sections("killed", name)) {
      auto found = lines(file, dump_format::text);
      ASSERT_FALSE(found.empty());
      EXPECT_EQ(found.front(), "Dumping " + (directory_->path() / file).string());
      found.erase(found.begin());
      EXPECT_EQ(found, expected) << file;
    }
  }
}

TEST_F(dump_test, BatchesAsJsonHaveEveryFieldOfKafkasTool) {
  const auto expected = golden::batches("killed");
  for (std::size_t row = 0; row < expected.size();) {
    const std::string file = expected[row].file;
    for (const std::string& line : lines(file, dump_format::json)) {
      const auto entry = golden::json::parse(line);
      if (entry.at("kind") != "batch") continue;
      ASSERT_LT(row, expected.size());
      ASSERT_EQ(expected[row].file, file);
      for (const auto& [name, value] : expected[row].fields) {
        if (name == "ts_type") {
          EXPECT_TRUE(entry.contains(value));
        } else if (name == "max_timestamp") {
          EXPECT_EQ(entry.at(expected[row].fields.at("ts_type")).dump(), value);
        } else if (name == "deleteHorizonMs" && value == "-") {
          EXPECT_TRUE(entry.at(name).is_null());
        } else if (name == "compresscodec") {
          EXPECT_EQ(entry.at(name), value);
        } else {
          EXPECT_EQ(entry.at(name).dump(), value) << file << " " << name;
        }
      }
      ++row;
    }
  }
}

TEST_F(dump_test, RecordsAndDirectories) {
  dump_options records;
  records.records = true;
  const auto found = lines("g.nulls-0", dump_format::json, records);
  std::size_t count = 0;
  for (const std::string& line : found) {
    if (golden::json::parse(line).at("kind") == "record") ++count;
  }
  const auto expected = golden::records("killed");
  EXPECT_EQ(count, (expected.at({"g.nulls", 0}).size()));
}

TEST_F(dump_test, DamageIsNamedAndTheRestIsPrinted) {
  const std::string name = "g.late-0/00000000000000000000.log";
  const auto whole = lines(name, dump_format::text);
  const auto path = directory_->path() / name;
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 7);
  auto torn = lines(name, dump_format::text);
  ASSERT_EQ(torn.size(), whole.size());
  EXPECT_NE(torn.back().find("invalid bytes at the end of"), std::string::npos);
  torn.pop_back();
  EXPECT_TRUE(std::equal(torn.begin(), torn.end(), whole.begin()));
  lines("server.log", dump_format::text, {}, true);
}

}  // namespace
}  // namespace ringlog::app
