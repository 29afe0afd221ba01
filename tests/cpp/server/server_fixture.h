#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "io/engine_fixture.h"
#include "model/batch_builder.h"
#include "node/serving.h"
#include "server/wire_client.h"

namespace ringlog::server {

// A server on loopback over a log in memory, under each engine.
class server_fixture : public io::each_engine_test {
 protected:
  static constexpr milliseconds long_enough{30'000};

  void SetUp() override {
    each_engine_test::SetUp();
    if (IsSkipped()) return;
    ::setenv("RINGLOG_IO", GetParam() == io::engine_choice::uring ? "uring" : "epoll", 1);
  }

  void TearDown() override {
    if (serving_ != nullptr) stop();
    node::close_all(long_enough);
    ::unsetenv("RINGLOG_IO");
  }

  void start(const model::config_map& settings = {}) {
    auto opened = node::open("memory:", settings);
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    serve(std::move(*opened));
  }

  void serve(std::shared_ptr<node::node> opened) {
    node::serving_options options = options_;
    options.listeners.emplace_back().where = {"127.0.0.1", 0};
    auto made = node::serving::start(std::move(opened), options);
    ASSERT_TRUE(made.ok()) << made.failure().message;
    serving_ = std::move(*made);
  }

  void stop(milliseconds drain_max = milliseconds(0)) {
    serving_->close(drain_max);
    EXPECT_EQ(serving_->server().connection_count(), 0);
    EXPECT_EQ(serving_->server().answer_bytes(), 0);
  }

  io::socket_address where() const { return serving_->addresses().front(); }
  wire_client connect() const { return wire_client(where()); }

  // Makes the topic by naming it.
  void create_topic(std::string_view name) const {
    protocol::metadata_request request;
    request.topics->emplace_back().name = name;
    auto client = connect();
    const auto answer = client.ask<protocol::metadata_response>(request, 12);
    ASSERT_EQ(answer.topics.size(), 1u);
    ASSERT_EQ(answer.topics[0].error_code, 0);
  }

  byte_buffer batch_of(std::string_view value) const {
    model::batch_builder batch;
    batch.append(clock_.wall_ms(), std::nullopt, as_bytes(value));
    return std::move(batch).finish({});
  }

  // The records are the caller's.
  static protocol::produce_request produce_request_of(std::string_view topic, bytes_view records,
                                                      std::int16_t acks = -1) {
    protocol::produce_request request;
    request.acks = acks;
    request.timeout_ms = 30'000;
    auto& sent = request.topic_data.emplace_back();
    sent.name = topic;
    sent.partition_data.emplace_back().records = protocol::records_ref(records);
    return request;
  }

  static protocol::fetch_request fetch_request_of(std::string_view topic, std::int64_t offset,
                                                  std::int32_t wait_ms = 30'000) {
    protocol::fetch_request request;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    auto& source = request.topics.emplace_back();
    source.topic = topic;
    auto& partition = source.partitions.emplace_back();
    partition.fetch_offset = offset;
    partition.partition_max_bytes = 1 << 20;
    return request;
  }

  // Another client is served as if nothing were.
  void expect_served() const {
    auto client = connect();
    const auto answer =
        client.ask<protocol::api_versions_response>(protocol::api_versions_request(), 0);
    EXPECT_EQ(answer.error_code, 0);
  }

  static bool eventually(const std::function<bool()>& holds) {
    const io::system_clock clock;
    const monotonic_time end = clock.now() + long_enough;
    while (!holds()) {
      if (clock.now() > end) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }

  node::serving_options options_;  // besides one listener
  std::unique_ptr<node::serving> serving_;
};

}  // namespace ringlog::server
