#include "broker/config_change.h"

#include <gtest/gtest.h>

namespace ringlog::broker {
namespace {

using enum alter_operation;

// What Kafka says to each is compared in tests/compat/test_same_answers.py.
TEST(ConfigChangeTest, WhatIsNoChangeIsRefused) {
  EXPECT_TRUE(check_changes({}).ok());
  EXPECT_TRUE(check_changes({{"a", "1"}, {"b", std::nullopt, remove}}).ok());
  EXPECT_EQ(check_changes({{"a", "1"}, {"a", std::nullopt, remove}}).code(),
            error_code::invalid_argument);
  const status nothing =
      check_changes({{"a", std::nullopt}, {"b", "1"}, {"c", std::nullopt, append}});
  EXPECT_EQ(nothing.code(), error_code::invalid_argument);
  EXPECT_EQ(nothing.failure().message, "Null value not supported for : a, c");
  for (const int unknown : {-1, 4, 127}) {
    EXPECT_EQ(check_changes({{"a", "1", static_cast<alter_operation>(unknown)}}).code(),
              error_code::invalid_argument)
        << unknown;
  }
}

TEST(ConfigChangeTest, ListsAreChangedByItems) {
  model::config_map values;
  EXPECT_TRUE(apply({"a", "y,x", append}, "x", values).ok());
  EXPECT_EQ(values.at("a"), "x,y");
  EXPECT_TRUE(apply({"a", "x,z", subtract}, "x", values).ok());
  EXPECT_EQ(values.at("a"), "y");
  EXPECT_EQ(apply({"b", "y", append}, std::nullopt, values).code(), error_code::invalid_config);
  EXPECT_TRUE(apply({"b", "y"}, std::nullopt, values).ok());
  EXPECT_TRUE(apply({"a", std::nullopt, remove}, "x", values).ok());
  EXPECT_EQ(values, (model::config_map{{"b", "y"}}));
}

}  // namespace
}  // namespace ringlog::broker
