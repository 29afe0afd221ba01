// What clients see of a server: real sockets, a log in memory.

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class ServerTest : public server_fixture {};

TEST_P(ServerTest, TellsWhatItServes) {
  start();
  auto client = connect();
  api_versions_request request;
  request.client_software_name = "a-client";
  request.client_software_version = "1.0";
  const auto answer = client.ask<api_versions_response>(request, 4);
  EXPECT_EQ(answer.error_code, 0);
  EXPECT_GT(answer.api_keys.size(), 20u);
  for (const auto& listed : answer.api_keys) {
    const api_info* api = find_api(listed.api_key);
    ASSERT_NE(api, nullptr) << listed.api_key;
    EXPECT_EQ(listed.min_version, api->lowest_advertised_version) << api->name;
    EXPECT_EQ(listed.max_version, api->highest_advertised_version) << api->name;
  }
}

TEST_P(ServerTest, AnUnknownVersionOfApiVersionsIsAnsweredInVersion0) {
  start();
  auto client = connect();
  byte_buffer request(2 + 2 + 4 + 2 + 1);
  store_be<std::int16_t>(request.data(), 18);
  store_be<std::int16_t>(request.data() + 2, 99);
  store_be<std::int32_t>(request.data() + 4, 5);
  store_be<std::int16_t>(request.data() + 8, -1);  // no client id; no tagged fields follow
  client.send(wire_client::framed(request));
  const auto bytes = client.receive();
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(wire_client::id_of(*bytes), 5);
  const auto answer = wire_client::decode<api_versions_response>(*bytes, 0);
  EXPECT_EQ(answer.error_code, 35);
  ASSERT_EQ(answer.api_keys.size(), 1u);
  EXPECT_EQ(answer.api_keys[0].api_key, 18);
}

TEST_P(ServerTest, RecordsGoInAndComeOut) {
  start();
  create_topic("orders");
  auto client = connect();
  const byte_buffer batch = batch_of("hello");
  const auto appended =
      client.ask<produce_response>(produce_request_of("orders", batch), 9).responses.at(0);
  EXPECT_EQ(appended.partition_responses.at(0).error_code, 0);
  EXPECT_EQ(appended.partition_responses.at(0).base_offset, 0);
  client.send(wire_client::frame_of(fetch_request_of("orders", 0), 12));
  const auto bytes = client.receive();
  ASSERT_TRUE(bytes.has_value());
  EXPECT_NE(as_text(*bytes).find("hello"), std::string_view::npos);
}

TEST_P(ServerTest, AnswersStandInTheOrderOfTheRequests) {
  start();
  create_topic("orders");
  auto client = connect();
  const byte_buffer batch = batch_of("one of many");
  constexpr int count = 300;  // more than may wait: the rest stays with the kernel
  byte_buffer stream;
  for (int id = 0; id < count; ++id) {
    append(stream, id % 10 == 9
                       ? wire_client::frame_of(fetch_request_of("orders", 0), 12, id)
                       : wire_client::frame_of(produce_request_of("orders", batch), 9, id));
  }
  client.send(stream);
  std::int64_t offset = 0;
  for (int id = 0; id < count; ++id) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(wire_client::id_of(*answer), id);
    if (id % 10 == 9) continue;
    const auto appended = wire_client::decode<produce_response>(*answer, 9);
    EXPECT_EQ(appended.responses.at(0).partition_responses.at(0).base_offset, offset++);
  }
}

TEST_P(ServerTest, AFetchWaitsForRecords) {
  start();
  create_topic("orders");
  auto reader = connect();
  reader.send(wire_client::frame_of(fetch_request_of("orders", 0), 12));
  auto writer = connect();
  const byte_buffer batch = batch_of("awaited");
  writer.ask<produce_response>(produce_request_of("orders", batch), 9);
  const auto bytes = reader.receive();
  ASSERT_TRUE(bytes.has_value());
  EXPECT_NE(as_text(*bytes).find("awaited"), std::string_view::npos);
}

TEST_P(ServerTest, WhatAClientWaitedForGoesWithIt) {
  start();
  create_topic("orders");
  {
    auto reader = connect();
    reader.send(wire_client::frame_of(fetch_request_of("orders", 0, INT32_MAX), 12));
    EXPECT_TRUE(eventually([&] { return serving_->server().request_bytes() > 0; }));
  }
  EXPECT_TRUE(eventually([&] { return serving_->server().request_bytes() == 0; }));
}

TEST_P(ServerTest, ProducesWithoutAcknowledgementAreNotAnswered) {
  start();
  create_topic("orders");
  auto client = connect();
  const byte_buffer batch = batch_of("unanswered");
  client.send(wire_client::frame_of(produce_request_of("orders", batch, 0), 9, 1));
  client.send(wire_client::frame_of(fetch_request_of("orders", 0), 12, 2));
  const auto answer = client.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(wire_client::id_of(*answer), 2);
  // A failure can only be told by closing.
  client.send(wire_client::frame_of(produce_request_of("nowhere", batch, 0), 9, 3));
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_P(ServerTest, ItsEndAnswersWhatIsUnderWay) {
  start();
  create_topic("orders");
  auto reader = connect();
  reader.send(wire_client::frame_of(fetch_request_of("orders", 0, INT32_MAX), 12));
  EXPECT_TRUE(eventually([&] { return serving_->server().request_bytes() > 0; }));
  stop(long_enough);
  EXPECT_TRUE(reader.receive().has_value());
  EXPECT_TRUE(reader.is_closed_by_server());
}

INSTANTIATE_TEST_SUITE_P(Engines, ServerTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
