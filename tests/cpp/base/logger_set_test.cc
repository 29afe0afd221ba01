#include "base/logger_set.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringlog {
namespace {

class kept_lines final : public log_sink {
 public:
  void write(log_level, std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

class LoggerSetTest : public testing::Test {
 protected:
  // Which of the four levels of messages come through.
  std::string passed(std::string_view name) {
    log_sink& logger = loggers_.of(name);
    target_.lines.clear();
    logger.write(log_level::debug, "D");
    logger.write(log_level::info, "I");
    logger.write(log_level::warning, "W");
    logger.write(log_level::error, "E");
    std::string all;
    for (const std::string& line : target_.lines) all += line;
    return all;
  }

  kept_lines target_;
  logger_set loggers_{target_, log_level::warning};
};

TEST_F(LoggerSetTest, EachLevelLetsPassWhatIsAsBadOrWorse) {
  EXPECT_EQ(passed("a"), "WE");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"TRACE", "DIWE"}, {"DEBUG", "DIWE"}, {"INFO", "IWE"},
      {"WARN", "WE"},    {"ERROR", "E"},    {"FATAL", ""}};
  for (const auto& [level, lines] : expected) {
    ASSERT_TRUE(loggers_.set_level("a", parse_logger_level(level)));
    EXPECT_EQ(passed("a"), lines) << level;
    EXPECT_EQ(name_of(loggers_.levels().at("a")), level);
  }
  EXPECT_EQ(passed("b"), "WE");
  EXPECT_EQ(parse_logger_level("warn"), std::nullopt);
}

TEST_F(LoggerSetTest, FollowsTheRootUnlessItHasALevelOfItsOwn) {
  log_sink& early = loggers_.of("early");
  loggers_.of("own");
  ASSERT_TRUE(loggers_.set_level("own", logger_level::error));
  ASSERT_TRUE(loggers_.set_level(logger_names::root, logger_level::info));
  EXPECT_EQ(passed("early"), "IWE");
  EXPECT_EQ(passed("late"), "IWE");
  EXPECT_EQ(passed("own"), "E");
  ASSERT_TRUE(loggers_.set_level("own", std::nullopt));
  EXPECT_EQ(passed("own"), "IWE");
  ASSERT_TRUE(loggers_.set_level(logger_names::root, logger_level::fatal));
  EXPECT_EQ(passed("own") + passed("early"), "");
  EXPECT_EQ(&loggers_.of("early"), &early);
  EXPECT_EQ(loggers_.levels().size(), 4u);
}

TEST_F(LoggerSetTest, KnowsOnlyWhatWasAskedFor) {
  EXPECT_FALSE(loggers_.set_level("a", logger_level::info));
  EXPECT_EQ(loggers_.levels(), (std::map<std::string, logger_level>{{"root", logger_level::warn}}));
}

}  // namespace
}  // namespace ringlog
