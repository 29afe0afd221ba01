// Every request and response that clients and Kafka 4.3.1 were seen to send each other: decoded it
// reads as Kafka's own classes say, encoded again it has the same bytes.

#include <set>
#include <string>

#include "golden.h"
#include "protocol/wire/api.h"
#include "protocol/wire/cluster/api_versions.h"
#include "protocol/wire_messages.h"

namespace ringlog::protocol {
namespace {

using golden::json;

std::vector<json> recorded_frames() {
  std::vector<json> frames;
  for (const auto& file : std::filesystem::directory_iterator(golden::folder() / "frames")) {
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) frames.push_back(json::parse(line));
  }
  return frames;
}

std::string place(const json& frame) {
  return fmt::format("{} {} version {} correlation {}", frame.at("client").get<std::string>(),
                     frame.value("api_name", ""), frame.at("api_version").get<int>(),
                     frame.at("correlation_id").get<int>());
}

void check_body(bytes_view body, const json& recorded, bool is_request) {
  const wire_message* message = find_wire_message(recorded.at("api_key"), is_request);
  const auto found = message->carry(body, recorded.at("api_version"));
  ASSERT_TRUE(found.ok()) << found.failure().message;
  EXPECT_EQ(json::parse(found->json), recorded.at(is_request ? "request_json" : "response_json"));
  EXPECT_EQ(found->bytes, to_buffer(body));
}

void check_request(const json& recorded) {
  const byte_buffer bytes = golden::from_hex(recorded.at("request_hex"));
  const auto frame = read_request_frame(bytes);
  ASSERT_TRUE(frame.ok()) << frame.failure().message;
  const auto& [header, api, body] = *frame;
  EXPECT_EQ(header.request_api_version, recorded.at("api_version"));
  EXPECT_EQ(header.correlation_id, recorded.at("correlation_id"));
  EXPECT_EQ(header.client_id, recorded.at("client_id").get<std::string>());
  EXPECT_EQ(api->name, recorded.at("api_name").get<std::string>());
  const auto header_version = api->request_header_version(header.request_api_version);
  EXPECT_EQ(header_version, recorded.at("header_version"));
  EXPECT_EQ(encode_message(header, header_version).value(),
            to_buffer(bytes_view(bytes).first(bytes.size() - body.size())));
  check_body(body, recorded, true);
}

void check_response(const json& recorded) {
  const byte_buffer bytes = golden::from_hex(recorded.at("response_hex"));
  const api_info* api = find_api(recorded.at("api_key"));
  reader in(bytes);
  const auto header =
      response_header::decode(in, api->response_header_version(recorded.at("api_version")));
  const bytes_view body = in.read_view(in.bytes_left());
  ASSERT_TRUE(in.finish("response header").ok());
  EXPECT_EQ(header.correlation_id, recorded.at("correlation_id"));
  check_body(body, recorded, false);
}

TEST(GoldenFrames, AreReadAndWrittenAsKafkaDoes) {
  GOLDEN_OR_SKIP();
  std::set<std::int16_t> apis;
  int checked = 0;
  for (const json& recorded : recorded_frames()) {
    if (!recorded.contains("request_json") || find_api(recorded.at("api_key")) == nullptr) continue;
    SCOPED_TRACE(place(recorded));
    check_request(recorded);
    if (!recorded.at("response_hex").is_null()) check_response(recorded);
    apis.insert(recorded.at("api_key").get<std::int16_t>());
    ++checked;
  }
  EXPECT_GT(checked, 250);
  EXPECT_GE(apis.size(), 40u);
}

TEST(GoldenFrames, ApiVersionsOfAnUnknownVersionIsAnsweredInVersionZero) {
  GOLDEN_OR_SKIP();
  int found = 0;
  for (const json& recorded : recorded_frames()) {
    if (recorded.contains("request_json")) continue;
    SCOPED_TRACE(place(recorded));
    ++found;
    const byte_buffer request = golden::from_hex(recorded.at("request_hex"));
    const auto frame = read_request_frame(request);
    ASSERT_TRUE(frame.ok()) << frame.failure().message;
    EXPECT_EQ(frame->api->key, static_cast<std::int16_t>(api_key::api_versions));
    EXPECT_EQ(frame->header.client_id, recorded.at("client_id").get<std::string>());
    EXPECT_FALSE(frame->api->has_version(frame->header.request_api_version));
    EXPECT_EQ(decode_request<api_versions_request>(*frame).code(), error_code::unsupported);

    api_versions_response answer;
    answer.error_code = 35;
    api_versions_response::api_version known;
    known.api_key = 18;
    known.max_version = info_of(api_key::api_versions).highest_advertised_version;
    answer.api_keys = {known};
    EXPECT_EQ(encode_response(frame->header.correlation_id, answer, 0).value(),
              golden::from_hex(recorded.at("response_hex")));
  }
  EXPECT_EQ(found, 3);
}

// The APIs that we have are advertised to clients with the versions that Kafka advertises.
TEST(GoldenFrames, AdvertisedVersionsAreKafkas) {
  GOLDEN_OR_SKIP();
  int compared = 0;
  for (const json& recorded : recorded_frames()) {
    if (recorded.at("client") == "kafka-4.3.1-internal") continue;  // a controller has others
    if (recorded.value("api_name", "") != "ApiVersions") continue;
    for (const json& theirs : recorded.at("response_json").at("apiKeys")) {
      const api_info* ours = find_api(theirs.at("apiKey"));
      if (ours == nullptr) continue;
      ++compared;
      EXPECT_EQ(ours->lowest_advertised_version, theirs.at("minVersion")) << ours->name;
      EXPECT_EQ(ours->highest_advertised_version, theirs.at("maxVersion")) << ours->name;
    }
  }
  EXPECT_GT(compared, 40);
}

}  // namespace
}  // namespace ringlog::protocol
