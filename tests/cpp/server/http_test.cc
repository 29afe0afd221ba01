// The HTTP endpoint on its port.

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class HttpTest : public server_fixture {
 protected:
  void SetUp() override {
    server_fixture::SetUp();
    options_.http = io::host_port{"127.0.0.1", 0};
  }

  wire_client connect_http() const { return wire_client(serving_->http_addresses().front()); }

  std::string ask(std::string_view request) const {
    auto client = connect_http();
    client.send(as_bytes(request));
    return client.receive_to_end();
  }
  std::string get(std::string_view path) const {
    return ask(fmt::format("GET {} HTTP/1.1\r\nConnection: close\r\n\r\n", path));
  }

  static bool has(std::string_view page, std::string_view line) {
    return page.find(fmt::format("\n{}\n", line)) != std::string_view::npos;
  }
};

TEST_P(HttpTest, SaysThatItIsWell) {
  start();
  const std::string answer = get("/health");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nok\n")) << answer;
  EXPECT_TRUE(get("/").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
  const std::string head = ask("HEAD /health HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(head.ends_with("Content-Length: 3\r\nConnection: close\r\n\r\n")) << head;
}

TEST_P(HttpTest, AnswersRequestsInTheirOrder) {
  start();
  const std::string answers =
      ask("GET /health HTTP/1.1\r\n\r\nGET /other HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"
          "GET /health HTTP/1.0\r\n\r\n");
  std::vector<std::string> codes;
  for (std::size_t at = answers.find("HTTP/1.1 "); at != std::string::npos;
       at = answers.find("HTTP/1.1 ", at + 1)) {
    codes.push_back(answers.substr(at + 9, 3));
  }
  EXPECT_EQ(codes, (std::vector<std::string>{"200", "404", "200", "200"}));
}

TEST_P(HttpTest, CountsWhatGoesThrough) {
  start();
  create_topic("orders");
  const byte_buffer batch = batch_of("a");
  auto client = connect();
  client.ask<produce_response>(produce_request_of("orders", batch), 9);
  client.ask<produce_response>(produce_request_of("orders", batch), 9);
  client.ask<produce_response>(produce_request_of("unknown", batch), 9);
  client.ask<fetch_response>(fetch_request_of("orders", 0), 12);
  offset_commit_request commit;
  commit.group_id = "readers";
  commit.generation_id_or_member_epoch = -1;
  auto& topic = commit.topics.emplace_back();
  topic.name = "orders";
  auto& position = topic.partitions.emplace_back();
  position.committed_offset = 1;
  EXPECT_EQ(client.ask<offset_commit_response>(commit, 8).topics.at(0).partitions.at(0).error_code,
            0);

  const std::string page = get("/metrics");
  EXPECT_NE(page.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  const std::size_t size = batch.size();
  EXPECT_TRUE(has(page, "kafka_server_brokertopicmetrics_messagesin_total{topic=\"orders\"} 2"));
  EXPECT_TRUE(has(page, "kafka_server_brokertopicmetrics_messagesin_total 2"));
  EXPECT_TRUE(has(page, fmt::format("kafka_server_brokertopicmetrics_bytesin_total {}", 2 * size)));
  EXPECT_TRUE(
      has(page, fmt::format("kafka_server_brokertopicmetrics_bytesout_total {}", 2 * size)));
  EXPECT_TRUE(has(page, "kafka_server_brokertopicmetrics_failedproducerequests_total 1"));
  EXPECT_TRUE(has(page, "kafka_network_requestmetrics_requests_total{request=\"Produce\"} 3"));
  EXPECT_TRUE(has(page, "kafka_network_requestmetrics_totaltimems_count{request=\"Fetch\"} 1"));
  EXPECT_TRUE(has(page, "kafka_server_replicamanager_underreplicatedpartitions 0"));
  EXPECT_TRUE(has(page, "kafka_controller_kafkacontroller_offlinepartitionscount 0"));
  EXPECT_TRUE(has(page,
                  "kafka_consumergroup_lag{consumergroup=\"readers\",topic=\"orders\","
                  "partition=\"0\"} 1"))
      << page;
  EXPECT_TRUE(has(page, "ringlog_metrics_left_out 0"));
}

TEST_P(HttpTest, HostileClientsGetARefusalOrNothing) {
  start();
  EXPECT_TRUE(ask(std::string(100'000, 'x')).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(ask(std::string(20, '\0') + "\r\n\r\n").starts_with("HTTP/1.1 505 "));
  // One that never reads: no more is answered than it takes, and others are served.
  auto mean = connect_http();
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "GET /metrics HTTP/1.1\r\n\r\n";
  mean.send_what_fits(as_bytes(many));
  EXPECT_TRUE(get("/health").starts_with("HTTP/1.1 200 "));
  expect_served();
}

TEST_P(HttpTest, TooManyConnectionsAreRefused) {
  start();
  std::vector<wire_client> clients;
  for (std::size_t i = 0; i <= limits::http_connections_max; ++i) clients.push_back(connect_http());
  EXPECT_TRUE(clients.back().is_closed_by_server());
  expect_served();
  clients.clear();
  EXPECT_TRUE(eventually([&] { return get("/health").starts_with("HTTP/1.1 200 "); }));
}

INSTANTIATE_TEST_SUITE_P(Engines, HttpTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
