#include "node/address.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "io/memory_file_system.h"

namespace ringlog::node {
namespace {

TEST(AddressTest, FileAndMemory) {
  const auto file = parse_address("file:/tmp/x/../data/").value();
  EXPECT_FALSE(file.in_memory);
  EXPECT_EQ(file.name, "/tmp/data");
  EXPECT_EQ(file.text(), "file:/tmp/data");
  EXPECT_TRUE(file.settings.empty());
  EXPECT_EQ(parse_address("file:./data").value().name,
            (std::filesystem::current_path() / "data").string());
  EXPECT_EQ(parse_address("memory:").value().text(), "memory:");
  EXPECT_EQ(parse_address("memory:a").value().name, "a");
}

TEST(AddressTest, Settings) {
  const auto address = parse_address("file:/d?log.retention.ms=-1&num.partitions=3").value();
  EXPECT_EQ(address.name, "/d");
  EXPECT_EQ(address.settings,
            (model::config_map{{"log.retention.ms", "-1"}, {"num.partitions", "3"}}));
  EXPECT_EQ(parse_address("memory:?a=b=c").value().settings, (model::config_map{{"a", "b=c"}}));
  EXPECT_EQ(parse_address("file:/d?log.retention.ms").code(), error_code::invalid_argument);
  const auto refused = check_setting_names({{"log.retenton.ms", "1"}});
  EXPECT_EQ(refused.failure().message,
            "'log.retenton.ms' is not a broker setting of Kafka: did "
            "you mean 'log.retention.ms'?");
  EXPECT_TRUE(check_setting_names(address.settings).ok());
}

TEST(AddressTest, AnythingElseIsRefused) {
  for (const char* text : {"", "file:", "localhost:9092", "/tmp/data", "File:/tmp"}) {
    EXPECT_EQ(parse_address(text).code(), error_code::invalid_argument) << text;
  }
}

class LayoutTest : public testing::Test {
 protected:
  void put(const std::string& path) {
    ASSERT_TRUE(disk_.make_directories(io::parent_of(path)).ok());
    ASSERT_TRUE(io::replace_file(disk_, path, as_bytes("text=1")).ok());
  }
  io::memory_file_system disk_;
};

TEST_F(LayoutTest, ANewDirectoryIsMade) {
  const auto layout = prepare_directory(disk_, "/a/b").value();
  EXPECT_EQ(layout.log_directory, "/a/b/log");
  EXPECT_FALSE(layout.is_kafka_log_directory);
  EXPECT_TRUE(disk_.exists("/a/b/log").value());
  EXPECT_TRUE(prepare_directory(disk_, "/a/b").ok());
}

TEST_F(LayoutTest, SettingsAndHiddenFilesMayStandInANewDirectory) {
  put("/a/server.properties");
  put("/a/.gitignore");
  EXPECT_TRUE(prepare_directory(disk_, "/a").ok());
  EXPECT_EQ(read_server_properties(disk_, "/a").value(), (model::config_map{{"text", "1"}}));
  EXPECT_TRUE(read_server_properties(disk_, "/b").value().empty());
}

TEST_F(LayoutTest, KafkasOwnDirectoryIsOpenedInPlace) {
  put("/kafka/meta.properties");
  put("/kafka/orders-0/00000000000000000000.log");
  const auto layout = prepare_directory(disk_, "/kafka").value();
  EXPECT_TRUE(layout.is_kafka_log_directory);
  EXPECT_EQ(layout.log_directory, "/kafka");
}

TEST_F(LayoutTest, ForeignDirectoriesAreRefusedAndLeftAlone) {
  put("/other/notes.txt");
  const auto refused = prepare_directory(disk_, "/other");
  EXPECT_EQ(refused.code(), error_code::foreign_directory);
  EXPECT_NE(refused.failure().message.find("notes.txt"), std::string::npos);
  EXPECT_FALSE(disk_.exists("/other/log").value());
  put("/file");
  EXPECT_FALSE(prepare_directory(disk_, "/file").ok());
}

TEST_F(LayoutTest, ALogOfOursMayHaveCompany) {
  put("/data/log/meta.properties");
  put("/data/README.md");
  EXPECT_EQ(prepare_directory(disk_, "/data").value().log_directory, "/data/log");
}

TEST_F(LayoutTest, ALogInUseIsKnownByItsSetAsideIdentity) {
  put("/data/log/meta.properties.ringlog");
  put("/data/README.md");
  EXPECT_EQ(prepare_directory(disk_, "/data").value().log_directory, "/data/log");
  put("/kafka/meta.properties.ringlog");
  put("/kafka/orders-0/00000000000000000000.log");
  EXPECT_EQ(prepare_directory(disk_, "/kafka").value().log_directory, "/kafka");
}

TEST_F(LayoutTest, TheJournalLiesBesideTheLog) {
  EXPECT_EQ(prepare_directory(disk_, "/data").value().journal_directory, "/data/journal");
  put("/kafka/meta.properties");
  EXPECT_EQ(prepare_directory(disk_, "/kafka").value().journal_directory, "/kafka.ringlog/journal");
}

}  // namespace
}  // namespace ringlog::node
