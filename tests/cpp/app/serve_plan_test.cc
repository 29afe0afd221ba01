// Where `ringlog serve` takes its settings from, and what it makes of them.

#include "app/serve_plan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/kafka_environment.h"
#include "app/kafka_listeners.h"

namespace ringlog::app {
namespace {

namespace fs = std::filesystem;
using model::config_map;
using texts = std::vector<std::string>;

class serve_plan_test : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(::testing::TempDir()) /
                 ("serve_plan_" + std::to_string(::getpid()) + "_" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string file_with(const std::string& text) const {
    const fs::path path = directory_ / "server.properties";
    std::ofstream(path) << text;
    return path.string();
  }

  // "where>advertised", the second if there.
  static texts listeners_of(const node::serving_options& options) {
    texts all;
    for (const node::listener& one : options.listeners) {
      all.push_back(text_of(one.where));
      if (one.advertised) all.back() += ">" + text_of(*one.advertised);
    }
    return all;
  }

  static std::string text_of(const io::host_port& at) {
    return at.host + ":" + std::to_string(at.port);
  }

  fs::path directory_;
};

TEST_F(serve_plan_test, NothingGiven) {
  const auto plan = plan_to_serve({}, {}).value();
  EXPECT_EQ(plan.address, "file:data");
  EXPECT_EQ(listeners_of(plan.serving), texts{"localhost:9092"});
  EXPECT_TRUE(plan.settings.empty());
  EXPECT_TRUE(plan.warnings.empty());
}

TEST_F(serve_plan_test, TheCommandLineStandsBeforeTheEnvironmentAndThatBeforeTheFile) {
  serve_arguments given;
  given.settings = {"num.partitions=1"};
  given.config_file = file_with("num.partitions=3\nmessage.max.bytes=3\nlog.retention.ms=3\n");
  const auto plan =
      plan_to_serve(given, {"KAFKA_NUM_PARTITIONS=2", "KAFKA_MESSAGE_MAX_BYTES=2"}).value();
  EXPECT_EQ(
      plan.settings,
      (config_map{{"num.partitions", "1"}, {"message.max.bytes", "2"}, {"log.retention.ms", "3"}}));
}

TEST_F(serve_plan_test, TheAddressOfTheCommandLineCountsAsTheCommandLine) {
  serve_arguments given;
  given.data = "file:some?num.partitions=1";
  const auto plan = plan_to_serve(given, {"KAFKA_NUM_PARTITIONS=2"}).value();
  EXPECT_EQ(plan.settings.at("num.partitions"), "1");
}

TEST_F(serve_plan_test, OptionsStandBeforeSettings) {
  const texts environment = {"KAFKA_LISTENERS=PLAINTEXT://:19092", "KAFKA_LOG_DIRS=/elsewhere",
                             "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://there:19092"};
  auto plan = plan_to_serve({}, environment).value();
  EXPECT_EQ(plan.address, "file:/elsewhere");
  EXPECT_EQ(listeners_of(plan.serving), texts{":19092>there:19092"});
  serve_arguments given;
  given.data = "memory:";
  given.listen = {"localhost:1", "[::1]:2"};
  plan = plan_to_serve(given, environment).value();
  EXPECT_EQ(plan.address, "memory:");
  EXPECT_EQ(listeners_of(plan.serving), (texts{"localhost:1", "::1:2"}));
  given.advertise = "outside:3";
  plan = plan_to_serve(given, environment).value();
  EXPECT_EQ(listeners_of(plan.serving), (texts{"localhost:1>outside:3", "::1:2>outside:3"}));
}

TEST_F(serve_plan_test, UnknownNamesAreToldAndLeftOut) {
  serve_arguments given;
  given.config_file = file_with("zookeeper.connect=localhost:2181\nnum.partitions=2\n");
  const auto plan = plan_to_serve(given, {"KAFKA_BROKERS=localhost", "PATH=/bin"}).value();
  EXPECT_EQ(plan.settings, (config_map{{"num.partitions", "2"}}));
  ASSERT_EQ(plan.warnings.size(), 2u);
  EXPECT_NE(plan.warnings[0].find("environment"), std::string::npos);
  EXPECT_NE(plan.warnings[0].find("brokers"), std::string::npos);
  EXPECT_NE(plan.warnings[1].find("server.properties"), std::string::npos);
  EXPECT_NE(plan.warnings[1].find("zookeeper.connect"), std::string::npos);
  given.settings = {"num.partition=3"};
  const auto refused = plan_to_serve(given, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.failure().message.find("num.partitions"), std::string::npos);
}

TEST_F(serve_plan_test, WhatCannotBeDoneIsRefused) {
  serve_arguments given;
  given.config_file = (directory_ / "missing").string();
  EXPECT_EQ(plan_to_serve(given, {}).code(), error_code::not_found);
  EXPECT_EQ(plan_to_serve({}, {"KAFKA_LOG_DIRS=/a,/b"}).code(), error_code::unsupported);
}

TEST(kafka_environment, VariablesBecomeSettings) {
  const config_map settings = settings_of_environment({
      "KAFKA_LISTENERS=PLAINTEXT://:9092",
      "KAFKA_CFG_NODE_ID=1",
      "KAFKA_A__B___C_D____E=x=y",
      "KAFKA_HEAP_OPTS=-Xmx1g",
      "KAFKA_JMX_OPTS=",
      "OTHER_NUM_PARTITIONS=2",
      "no variable",
  });
  EXPECT_EQ(
      settings,
      (config_map{{"listeners", "PLAINTEXT://:9092"}, {"node.id", "1"}, {"a_b-c.d-.e", "x=y"}}));
}

class kafka_listeners : public serve_plan_test {
 protected:
  static texts of(const config_map& settings) {
    auto made = app::listeners_of(settings);
    if (!made.ok()) return {made.failure().message};
    return listeners_of({.listeners = std::move(*made), .http = {}});
  }
  static error_code refusal_of(const config_map& settings) {
    const auto made = app::listeners_of(settings);
    return made.ok() ? error_code::internal : made.code();
  }
};

TEST_F(kafka_listeners, OfAContainerWithTwoNetworks) {
  EXPECT_EQ(of({{"listeners", "INSIDE://0.0.0.0:29092, outside://:9092,CONTROLLER://:9093"},
                {"advertised.listeners", "INSIDE://kafka:29092,OUTSIDE://localhost:9092"},
                {"controller.listener.names", "CONTROLLER"},
                {"listener.security.protocol.map",
                 "CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,OUTSIDE:plaintext"}}),
            (texts{"0.0.0.0:29092>kafka:29092", ":9092>localhost:9092"}));
}

TEST_F(kafka_listeners, OfOneThatOnlyAdvertises) {
  EXPECT_EQ(of({{"advertised.listeners", "PLAINTEXT://localhost:9092"}}),
            texts{":9092>localhost:9092"});
  EXPECT_EQ(of({{"listeners", "PLAINTEXT://[::1]:9092"}}), texts{"::1:9092"});
  EXPECT_TRUE(of({}).empty());
}

TEST_F(kafka_listeners, WhatWasToBeProtectedIsNotServedWithout) {
  EXPECT_EQ(refusal_of({{"listeners", "SSL://:9092"}}), error_code::unsupported);
  EXPECT_EQ(refusal_of({{"listeners", "PLAINTEXT://:9092,SASL_SSL://:9093"}}),
            error_code::unsupported);
  EXPECT_EQ(refusal_of({{"listeners", "PLAINTEXT://:9092"},
                        {"listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT"}}),
            error_code::unsupported);
}

TEST_F(kafka_listeners, WhatKafkaRefuses) {
  const auto wrong = error_code::invalid_config;
  EXPECT_EQ(refusal_of({{"listeners", "localhost:9092"}}), wrong);
  EXPECT_EQ(refusal_of({{"listeners", "PLAINTEXT://localhost"}}), wrong);
  EXPECT_EQ(refusal_of({{"listeners", "INSIDE://:9092"}}), wrong);
  EXPECT_EQ(refusal_of({{"listeners", "PLAINTEXT://:1,plaintext://:2"}}), wrong);
  EXPECT_EQ(refusal_of({{"listeners", "PLAINTEXT://:1"}, {"advertised.listeners", "SSL://a:1"}}),
            wrong);
  EXPECT_EQ(refusal_of({{"advertised.listeners", "PLAINTEXT://0.0.0.0:1"}}), wrong);
  EXPECT_EQ(
      refusal_of({{"listeners", "PLAINTEXT://:1"}, {"controller.listener.names", "PLAINTEXT"}}),
      wrong);
}

}  // namespace
}  // namespace ringlog::app
