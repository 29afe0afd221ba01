// Clients that are broken or mean harm: they are closed, everyone else is served.

#include "base/random.h"
#include "random_seed.h"
#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class HostileTest : public server_fixture {};

byte_buffer header_bytes(std::int16_t key, std::int16_t version) {
  byte_buffer bytes(2 + 2 + 4 + 2);
  store_be(bytes.data(), key);
  store_be(bytes.data() + 2, version);
  store_be<std::int16_t>(bytes.data() + 8, -1);
  return bytes;
}

byte_buffer size_bytes(std::int32_t size) {
  byte_buffer bytes(4);
  store_be(bytes.data(), size);
  return bytes;
}

TEST_P(HostileTest, WhatIsNoRequestIsClosed) {
  start();
  const byte_buffer whole = wire_client::frame_of(fetch_request_of("orders", 0), 12);
  byte_buffer cut = size_bytes(static_cast<std::int32_t>(whole.size() - 4 - 3));
  append(cut, bytes_view(whole).subspan(4, whole.size() - 4 - 3));
  const std::vector<std::pair<std::string, byte_buffer>> all = {
      {"giant size", size_bytes(INT32_MAX)},
      {"negative size", size_bytes(-2)},
      {"size 0", size_bytes(0)},
      {"unknown key", wire_client::framed(header_bytes(999, 0))},
      {"a key that is not served", wire_client::framed(header_bytes(24, 0))},
      {"unknown version", wire_client::framed(header_bytes(3, 99))},
      {"version below 0", wire_client::framed(header_bytes(3, -1))},
      {"a version that is only advertised", wire_client::framed(header_bytes(0, 2))},
      {"truncated header", wire_client::framed(as_bytes(std::string_view("\0\3\0\1", 4)))},
      {"truncated request", cut},
      {"another protocol", to_buffer(as_bytes("GET / HTTP/1.1\r\nHost: here\r\n\r\n"))},
  };
  for (const auto& [name, bytes] : all) {
    auto client = connect();
    client.send(bytes);
    EXPECT_TRUE(client.is_closed_by_server()) << name;
  }
  expect_served();
}

TEST_P(HostileTest, ManyElementsThatAreNotThereAreNotBelieved) {
  start();
  byte_buffer request = header_bytes(3, 1);
  append(request, size_bytes(INT32_MAX));  // so many topics
  auto client = connect();
  client.send(wire_client::framed(request));
  EXPECT_TRUE(client.is_closed_by_server());
  expect_served();
}

// What is looked up for each element must not be looked for among all of them.
TEST_P(HostileTest, ManyElementsTakeNoMoreTimeEachThanFew) {
  start();
  std::vector<std::string> names(200'000);
  create_topics_request request;
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = fmt::format("not a name: {}", i);
    request.topics.emplace_back().name = names[i];
  }
  auto client = connect();
  const auto answer = client.ask<create_topics_response>(request, 7);
  EXPECT_EQ(answer.topics.size(), names.size());
  expect_served();
}

// Requests with some bytes changed, each on a connection that may be closed at any time.
TEST_P(HostileTest, DamagedRequestsHarmNobodyElse) {
  start();
  create_topic("orders");
  seeded_random random(test_seed());
  const byte_buffer batch = batch_of("hello");
  metadata_request metadata;
  metadata.topics->emplace_back().name = "orders";
  const std::vector<byte_buffer> good = {
      wire_client::frame_of(produce_request_of("orders", batch), 9),
      wire_client::frame_of(fetch_request_of("orders", 0, 1), 12),
      wire_client::frame_of(metadata, 12),
      wire_client::frame_of(api_versions_request(), 3),
      wire_client::frame_of(join_group_request(), 9),
      wire_client::frame_of(create_topics_request(), 7),
  };
  std::optional<wire_client> client;
  for (int round = 0; round < 3'000; ++round) {
    if (!client || round % 10 == 0) client.emplace(where());
    byte_buffer frame = good[random.below(good.size())];
    for (std::uint64_t i = 1 + random.below(3); i > 0; --i) {
      frame[4 + random.below(frame.size() - 4)] = static_cast<std::byte>(random.next());
    }
    client->send(frame);
    if (round % 500 == 0) expect_served();
  }
  client.reset();
  expect_served();
  EXPECT_TRUE(eventually([&] { return serving_->server().connection_count() == 0; }));
}

TEST_P(HostileTest, AClientThatNeverReadsIsHeldUp) {
  start();
  create_topic("orders");
  const byte_buffer batch = batch_of(std::string(500'000, 'x'));
  auto writer = connect();
  writer.ask<produce_response>(produce_request_of("orders", batch), 9);
  std::vector<wire_client> mean;
  const byte_buffer frame = wire_client::frame_of(fetch_request_of("orders", 0), 12);
  byte_buffer stream;
  for (int i = 0; i < 500; ++i) append(stream, frame);
  for (int i = 0; i < 5; ++i) {
    mean.push_back(connect());
    mean.back().send_what_fits(stream);
  }
  EXPECT_TRUE(eventually([&] { return serving_->server().answer_bytes() > 0; }));
  for (int i = 0; i < 50; ++i) expect_served();
  const auto unsent_max = limits::unsent_answer_bytes_max + 1'000'000;
  EXPECT_LE(serving_->server().answer_bytes(), 5 * unsent_max);
}

TEST_P(HostileTest, BrokenOffFramesLeaveRoomForOthers) {
  start({{"queued.max.request.bytes", "100000"}});
  create_topic("orders");
  const std::string half(40'000, 'x');
  byte_buffer frame = size_bytes(80'000);
  append(frame, as_bytes(half));
  std::vector<wire_client> mean;
  for (int i = 0; i < 10; ++i) {
    mean.push_back(connect());
    mean.back().send(frame);
  }
  EXPECT_TRUE(eventually([&] { return serving_->server().request_bytes() >= 100'000; }));
  EXPECT_LE(serving_->server().request_bytes(), 100'000 + 80'000 + 40'000);
  mean.clear();
  EXPECT_TRUE(eventually([&] { return serving_->server().request_bytes() == 0; }));
  expect_served();
}

TEST_P(HostileTest, WithoutMemoryRequestsGoOnOneAfterAnother) {
  start({{"queued.max.request.bytes", "1000"}});
  create_topic("orders");
  const byte_buffer batch = batch_of(std::string(50'000, 'x'));
  const byte_buffer frame = wire_client::frame_of(produce_request_of("orders", batch), 9);
  std::vector<wire_client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(connect());
    clients.back().send(frame);
  }
  for (wire_client& client : clients) EXPECT_TRUE(client.receive().has_value());
  EXPECT_TRUE(eventually([&] { return serving_->server().request_bytes() == 0; }));
}

TEST_P(HostileTest, TooManyConnectionsAreRefused) {
  start({{"max.connections.per.ip", "2"}});
  auto first = connect();
  {
    auto second = connect();
    EXPECT_TRUE(eventually([&] { return serving_->server().connection_count() == 2; }));
    auto third = connect();
    EXPECT_TRUE(third.is_closed_by_server());
  }
  EXPECT_TRUE(eventually([&] { return serving_->server().connection_count() == 1; }));
  expect_served();
}

TEST_P(HostileTest, IdleConnectionsAreClosed) {
  start({{"connections.max.idle.ms", "100"}});
  auto client = connect();
  EXPECT_TRUE(client.is_closed_by_server());
}

INSTANTIATE_TEST_SUITE_P(Engines, HostileTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
