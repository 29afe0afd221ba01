// Client quotas, set and felt through the protocol.

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class QuotaTest : public server_fixture {
 protected:
  struct part {
    std::string_view type;
    std::optional<std::string_view> name;
  };

  alter_client_quotas_response alter(const std::vector<part>& entity, std::string_view key,
                                     std::optional<double> value, bool validate_only = false) {
    alter_client_quotas_request request;
    request.validate_only = validate_only;
    auto& entry = request.entries.emplace_back();
    for (const part& one : entity) {
      auto& asked = entry.entity.emplace_back();
      asked.entity_type = one.type;
      asked.entity_name = one.name;
    }
    auto& change = entry.ops.emplace_back();
    change.key = key;
    change.value = value.value_or(0);
    change.remove = !value;
    auto client = connect();
    return client.ask<alter_client_quotas_response>(request, 1);
  }
  int code_of(const std::vector<part>& entity, std::string_view key, double value) {
    return alter(entity, key, value).entries.at(0).error_code;
  }

  describe_client_quotas_response describe(std::string_view type, std::int8_t match,
                                           std::optional<std::string_view> name, bool strict) {
    describe_client_quotas_request request;
    request.strict = strict;
    auto& component = request.components.emplace_back();
    component.entity_type = type;
    component.match_type = match;
    component.match = name;
    auto client = connect();
    return client.ask<describe_client_quotas_response>(request, 1);
  }
};

constexpr std::int8_t exact = 0;
constexpr std::int8_t of_default = 1;
constexpr std::int8_t any = 2;

TEST_P(QuotaTest, AreSetShownAndTakenAway) {
  start();
  EXPECT_EQ(code_of({{"user", "u"}}, "producer_byte_rate", 1000), 0);
  EXPECT_EQ(code_of({{"user", "u"}, {"client-id", std::nullopt}}, "request_percentage", 12.5), 0);
  EXPECT_EQ(describe("user", exact, "u", false).entries->size(), 2u);
  const auto alone = describe("user", any, std::nullopt, true);
  ASSERT_EQ(alone.entries->size(), 1u);
  EXPECT_EQ(alone.entries->at(0).entity.at(0).entity_name, "u");
  EXPECT_EQ(alone.entries->at(0).values.at(0).key, "producer_byte_rate");
  EXPECT_EQ(alone.entries->at(0).values.at(0).value, 1000);
  EXPECT_EQ(describe("client-id", of_default, std::nullopt, false).entries->size(), 1u);
  EXPECT_TRUE(describe("user", of_default, std::nullopt, false).entries->empty());
  EXPECT_EQ(alter({{"user", "u"}}, "producer_byte_rate", 7, true).entries.at(0).error_code, 0);
  EXPECT_EQ(describe("user", any, std::nullopt, true).entries->at(0).values.at(0).value, 1000);
  EXPECT_EQ(alter({{"user", "u"}}, "producer_byte_rate", {}).entries.at(0).error_code, 0);
  EXPECT_TRUE(describe("user", any, std::nullopt, true).entries->empty());
}

TEST_P(QuotaTest, BadOnesAreRefused) {
  start();
  EXPECT_EQ(code_of({{"user", "u"}}, "connection_creation_rate", 1), 42);
  EXPECT_EQ(code_of({{"user", "u"}}, "unknown", 1), 42);
  EXPECT_EQ(code_of({{"user", "u"}}, "producer_byte_rate", 0), 42);
  EXPECT_EQ(code_of({{"user", "u"}}, "producer_byte_rate", 1.5), 42);
  EXPECT_EQ(code_of({{"user", "u"}}, "producer_byte_rate", 1e19), 42);
  EXPECT_EQ(code_of({{"user", ""}}, "producer_byte_rate", 1), 42);
  EXPECT_EQ(code_of({{"group", "u"}}, "producer_byte_rate", 1), 42);
  EXPECT_EQ(code_of({}, "producer_byte_rate", 1), 42);
  EXPECT_EQ(code_of({{"ip", "1.2.3.4"}, {"user", "u"}}, "connection_creation_rate", 1), 42);
  EXPECT_EQ(code_of({{"ip", "no address"}}, "connection_creation_rate", 1), 42);
  EXPECT_EQ(code_of({{"ip", "::1"}}, "connection_creation_rate", 1), 0);
  EXPECT_EQ(describe("user", exact, std::nullopt, false).error_code, 42);
  EXPECT_EQ(describe("user", any, "u", false).error_code, 42);
  EXPECT_EQ(describe("group", any, std::nullopt, false).error_code, 35);
  EXPECT_FALSE(describe("user", 7, std::nullopt, false).entries.has_value());
}

TEST_P(QuotaTest, ProducersPause) {
  start();
  create_topic("orders");
  EXPECT_EQ(code_of({{"client-id", "wire_client"}}, "producer_byte_rate", 10'000), 0);
  const byte_buffer batch = batch_of(std::string(103'000, 'x'));
  auto client = connect();
  const monotonic_time began = clock_.now();
  const auto answer = client.ask<produce_response>(produce_request_of("orders", batch), 9);
  EXPECT_EQ(answer.responses.at(0).partition_responses.at(0).error_code, 0);
  EXPECT_GE(answer.throttle_time_ms, 300);
  EXPECT_LE(answer.throttle_time_ms, 1'000);
  expect_served();  // on another connection
  client.ask<api_versions_response>(api_versions_request(), 0);
  EXPECT_GE(clock_.now() - began, milliseconds(answer.throttle_time_ms));
}

TEST_P(QuotaTest, ConsumersGetNothingWhileTheyHaveToPause) {
  start();
  create_topic("orders");
  const byte_buffer batch = batch_of(std::string(90'000, 'x'));
  auto client = connect();
  client.ask<produce_response>(produce_request_of("orders", batch), 9);
  EXPECT_EQ(code_of({{"client-id", std::nullopt}}, "consumer_byte_rate", 10'000), 0);
  const auto first = client.ask<fetch_response>(fetch_request_of("orders", 0), 12);
  EXPECT_EQ(first.throttle_time_ms, 0);
  EXPECT_EQ(first.responses.at(0).partitions.at(0).records->size(), batch.size());
  const auto second = client.ask<fetch_response>(fetch_request_of("orders", 0), 12);
  EXPECT_GE(second.throttle_time_ms, 7'000);
  EXPECT_EQ(second.error_code, 0);
  EXPECT_TRUE(second.responses.empty());
}

TEST_P(QuotaTest, ClientsThatKeepAThreadBusyPause) {
  start();
  create_topic("orders");
  EXPECT_EQ(code_of({{"user", std::nullopt}}, "request_percentage", 0.000001), 0);
  auto client = connect();
  client.ask<api_versions_response>(api_versions_request(), 1);
  const auto answer = client.ask<api_versions_response>(api_versions_request(), 1);
  EXPECT_EQ(answer.throttle_time_ms, 1'000);
}

INSTANTIATE_TEST_SUITE_P(Engines, QuotaTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
