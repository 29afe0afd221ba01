#include "broker/logger_configs.h"

#include <gtest/gtest.h>

namespace ringlog::broker {
namespace {

constexpr node_id_t node{1};

// What Kafka says to each is compared in tests/compat/test_same_answers.py.
class LoggerConfigsTest : public testing::Test {
 protected:
  status alter(const std::vector<config_alteration>& changes, bool validate_only = false,
               const std::string& resource = "1") {
    return alter_loggers(loggers_, node, resource, changes, validate_only);
  }

  std::string level(const std::string& name = "a") {
    const auto entries = describe_loggers(loggers_, node, "1").value();
    for (const config_entry& entry : entries) {
      if (entry.name == name) return entry.value.value();
    }
    return "none";
  }

  null_log_sink sink_;
  logger_set loggers_{sink_, log_level::warning};
  log_sink& a_ = loggers_.of("a");
};

TEST_F(LoggerConfigsTest, AreSetAndDeletedAtOnce) {
  EXPECT_EQ(level(), "WARN");
  EXPECT_TRUE(alter({{"a", "DEBUG"}}).ok());
  EXPECT_EQ(level(), "DEBUG");
  EXPECT_TRUE(alter({{"root", "ERROR"}}).ok());
  EXPECT_EQ(level("root"), "ERROR");
  EXPECT_EQ(level(), "DEBUG");
  EXPECT_TRUE(alter({{"a", std::nullopt, alter_operation::remove}}).ok());
  EXPECT_EQ(level(), "ERROR");
  EXPECT_TRUE(alter({{"a", "INFO"}}, true).ok());
  EXPECT_EQ(level(), "ERROR");
}

TEST_F(LoggerConfigsTest, AllChangesOrNone) {
  EXPECT_EQ(alter({{"a", "INFO"}, {"unknown", "INFO"}}).code(), error_code::invalid_config);
  EXPECT_EQ(alter({{"root", "INFO"}, {"a", "LOUD"}}).code(), error_code::invalid_config);
  EXPECT_EQ(alter({{"a", "INFO", alter_operation::append}}).code(), error_code::invalid_argument);
  EXPECT_EQ(alter({{"root", std::nullopt, alter_operation::remove}}).code(),
            error_code::invalid_argument);
  EXPECT_EQ(level() + level("root"), "WARNWARN");
}

TEST_F(LoggerConfigsTest, AreOneBrokersOwn) {
  for (const std::string other : {"", "2", "x"}) {
    EXPECT_EQ(describe_loggers(loggers_, node, other).code(), error_code::invalid_argument);
    EXPECT_EQ(alter({{"a", "INFO"}}, false, other).code(), error_code::invalid_argument);
  }
}

}  // namespace
}  // namespace ringlog::broker
