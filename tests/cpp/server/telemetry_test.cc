// What clients measure of themselves: asked for, pushed, shown.

#include <bit>

#include "codec/codec.h"
#include "random_seed.h"
#include "server/server_fixture.h"
#include "server/telemetry/otlp_metrics.h"

namespace ringlog::server {
namespace {

using namespace protocol;

// Protobuf, as much as these messages need.
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}
std::string message(int number, std::string_view content) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(content.size()) +
         std::string(content);
}
std::string fixed64(int number, std::uint64_t value) {
  std::string bytes = varint(static_cast<std::uint64_t>(number) << 3 | 1);
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}
std::string number(int field, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(value);
}
std::string label(std::string_view name, std::string_view value) {
  return message(7, message(1, name) + message(2, message(1, value)));
}
std::string metric(std::string_view name, const std::string& data) {
  return message(2, message(1, name) + data);
}
std::string metrics_data(const std::string& metrics) {
  return message(1, message(1, "a resource") + message(2, metrics));
}
std::string gauge(std::string_view name, double value) {
  return metric(name, message(5, message(1, fixed64(3, 1) +
                                                fixed64(4, std::bit_cast<std::uint64_t>(value)))));
}
std::string delta_sum(std::string_view name, std::uint64_t value) {
  return metric(name, message(7, message(1, label("topic", "t") + fixed64(6, value)) +
                                     number(2, 1) + number(3, 1)));
}

TEST(OtlpMetricsTest, NumbersOfEveryKind) {
  const std::string histogram = metric(
      "h", message(9, message(1, fixed64(4, 3) + fixed64(5, std::bit_cast<std::uint64_t>(1.5)))));
  const std::string bytes = metrics_data(gauge("g", 2.5) + delta_sum("s", 7) + histogram);
  const auto samples = parse_otlp_metrics(as_bytes(bytes));
  ASSERT_TRUE(samples.ok());
  ASSERT_EQ(samples->size(), 4u);
  EXPECT_EQ((*samples)[0].name, "g");
  EXPECT_EQ((*samples)[0].value, 2.5);
  EXPECT_FALSE((*samples)[0].is_delta);
  EXPECT_EQ((*samples)[1].value, 7);
  EXPECT_TRUE((*samples)[1].is_delta);
  ASSERT_EQ((*samples)[1].labels.size(), 1u);
  EXPECT_EQ((*samples)[1].labels[0], (std::pair<std::string, std::string>("topic", "t")));
  EXPECT_EQ((*samples)[2].name, "h.count");
  EXPECT_EQ((*samples)[3].value, 1.5);
}

TEST(OtlpMetricsTest, BrokenBytesAreRefusedOrReadBounded) {
  const std::string good = metrics_data(gauge("g", 2.5) + delta_sum("s", 7));
  seeded_random random(test_seed());
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good.substr(0, random.below(good.size() + 1));
    for (std::uint64_t i = random.below(3); i > 0 && !bytes.empty(); --i) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    const auto samples = parse_otlp_metrics(as_bytes(bytes));
    if (samples.ok()) {
      EXPECT_LE(samples->size(), bytes.size());
    }
  }
  EXPECT_FALSE(parse_otlp_metrics(as_bytes(message(1, "x").substr(0, 2))).ok());
  std::string many;
  for (std::size_t i = 0; i <= limits::telemetry_samples_max; ++i) many += gauge("g", 1);
  EXPECT_FALSE(parse_otlp_metrics(as_bytes(metrics_data(many))).ok());
}

class TelemetryTest : public server_fixture {
 protected:
  void SetUp() override {
    server_fixture::SetUp();
    options_.http = io::host_port{"127.0.0.1", 0};
  }

  void want(std::string_view name, std::string_view value) {
    incremental_alter_configs_request request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = 16;
    resource.resource_name = "wanted";
    auto& config = resource.configs.emplace_back();
    config.name = name;
    config.value = value;
    auto client = connect();
    EXPECT_EQ(client.ask<incremental_alter_configs_response>(request, 1).responses.at(0).error_code,
              0);
  }

  get_telemetry_subscriptions_response subscribe(const uuid& client = {}) {
    get_telemetry_subscriptions_request request;
    request.client_instance_id = client;
    auto asked = connect();
    return asked.ask<get_telemetry_subscriptions_response>(request, 0);
  }

  int push(const get_telemetry_subscriptions_response& to, bytes_view metrics,
           std::int8_t compression = 0, bool is_last = false) {
    push_telemetry_request request;
    request.client_instance_id = to.client_instance_id;
    request.subscription_id = to.subscription_id;
    request.compression_type = compression;
    request.terminating = is_last;
    request.metrics = metrics;
    auto asked = connect();
    return asked.ask<push_telemetry_response>(request, 0).error_code;
  }

  std::string page() const {
    wire_client client(serving_->http_addresses().front());
    client.send(as_bytes(std::string_view("GET /metrics HTTP/1.0\r\n\r\n")));
    return client.receive_to_end();
  }

  bool offers_telemetry() {
    auto client = connect();
    const auto answer = client.ask<api_versions_response>(api_versions_request(), 0);
    return std::ranges::any_of(answer.api_keys, [](const auto& one) { return one.api_key == 71; });
  }
};

TEST_P(TelemetryTest, IsOfferedWhileSomebodyCanReadIt) {
  start();
  EXPECT_TRUE(offers_telemetry());
  stop();
  serving_.reset();
  options_.http.reset();
  start();
  EXPECT_FALSE(offers_telemetry());
  auto client = connect();
  client.send(wire_client::frame_of(get_telemetry_subscriptions_request(), 0));
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_P(TelemetryTest, SaysWhatIsWanted) {
  start();
  const auto nothing = subscribe();
  EXPECT_EQ(nothing.error_code, 0);
  EXPECT_FALSE(nothing.client_instance_id.is_zero());
  EXPECT_EQ(nothing.push_interval_ms, 300'000);
  EXPECT_TRUE(nothing.requested_metrics.empty());
  EXPECT_EQ(subscribe(nothing.client_instance_id).error_code, 89);
  want("metrics", "some.,other.");
  want("interval.ms", "1000");
  const auto changed = subscribe(nothing.client_instance_id);
  EXPECT_EQ(changed.error_code, 0);
  EXPECT_NE(changed.subscription_id, nothing.subscription_id);
  EXPECT_EQ(changed.push_interval_ms, 1000);
  EXPECT_EQ(changed.requested_metrics, (std::vector<std::string>{"other.", "some."}));
  want("match", "client_id=nobody.*");
  EXPECT_TRUE(subscribe().requested_metrics.empty());
  want("match", "client_id=wire_.*,client_source_address=127\\..*");
  want("metrics", "*");
  EXPECT_EQ(subscribe().requested_metrics, (std::vector<std::string>{""}));
}

TEST_P(TelemetryTest, ShowsWhatIsPushed) {
  start();
  want("metrics", "*");
  want("interval.ms", "100");
  const auto mine = subscribe();
  EXPECT_EQ(push(mine, as_bytes(metrics_data(gauge("my.gauge", 2.5) + delta_sum("my.sum", 7)))), 0);
  EXPECT_TRUE(eventually([&] {
    const std::string more = metrics_data(delta_sum("my.sum", 5));
    const auto compressed = codec::compress(compression_type::zstd, as_bytes(more));
    return push(mine, *compressed, 4) == 0;  // when the interval is over
  }));
  const std::string shown = page();
  const std::string instance = fmt::format("client_id=\"wire_client\",client_instance_id=\"{}\"",
                                           mine.client_instance_id.to_string());
  for (const std::string& line : {"kafka_client_my_gauge{" + instance + "} 2.5",
                                  "kafka_client_my_sum{" + instance + ",topic=\"t\"} 12"}) {
    EXPECT_NE(shown.find("\n" + line + "\n"), std::string::npos) << line << "\n" << shown;
  }
}

TEST_P(TelemetryTest, RefusesWhatIsWrong) {
  start();
  want("metrics", "*");
  want("interval.ms", "3600000");
  auto mine = subscribe();
  EXPECT_EQ(push({}, {}), 42);
  mine.subscription_id += 1;
  EXPECT_EQ(push(mine, {}), 117);
  mine.subscription_id -= 1;
  EXPECT_EQ(push(mine, {}), 89);  // what was refused counts
  EXPECT_EQ(push(subscribe(), {}, 9), 76);
  EXPECT_EQ(push(subscribe(), byte_buffer(limits::telemetry_bytes_max + 1)), 118);
  EXPECT_EQ(push(subscribe(), as_bytes(std::string_view("no metrics"))), 87);
  EXPECT_EQ(push(mine, {}, 0, true), 0);
  EXPECT_EQ(push(mine, {}, 0, true), 42);
  expect_served();
}

INSTANTIATE_TEST_SUITE_P(Engines, TelemetryTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
