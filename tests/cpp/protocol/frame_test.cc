// Frames of requests and responses: what is in front of a message.

#include <gtest/gtest.h>

#include "protocol/wire/api.h"
#include "protocol/wire/api_list.h"

namespace ringlog::protocol {
namespace {

request_header header_of(api_key key, std::int16_t version) {
  request_header header;
  header.request_api_key = static_cast<std::int16_t>(key);
  header.request_api_version = version;
  header.correlation_id = 7;
  header.client_id = "someone";
  return header;
}

TEST(Frames, AProduceRequestViewsTheRecordsOfItsFrame) {
  const byte_buffer records(1000, std::byte{42});
  produce_request sent;
  sent.topic_data.resize(1);
  sent.topic_data[0].name = "orders";
  sent.topic_data[0].partition_data.resize(1);
  sent.topic_data[0].partition_data[0].records = records_ref(records);
  const auto bytes = encode_request(header_of(api_key::produce, 9), sent).value();
  const auto frame = read_request_frame(bytes).value();
  const auto read = decode_request<produce_request>(frame).value();
  EXPECT_TRUE(read == sent);
  const auto inside = [&](const auto& view) {
    const auto* begin = reinterpret_cast<const std::byte*>(view.data());
    return begin >= bytes.data() && begin + view.size() <= bytes.data() + bytes.size();
  };
  EXPECT_TRUE(inside(read.topic_data[0].name));
  EXPECT_TRUE(inside(*read.topic_data[0].partition_data[0].records));
}

TEST(Frames, AnUnknownApiIsRefused) {
  const auto refused =
      read_request_frame(encode_message(header_of(static_cast<api_key>(4), 0), 1).value());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.code(), error_code::unsupported);
  EXPECT_NE(refused.failure().message.find("key 4"), std::string::npos);
}

TEST(Frames, AVersionThatIsOnlyAdvertisedIsRefusedByTheMessage) {
  const byte_buffer bytes = encode_message(header_of(api_key::produce, 2), 1).value();
  const auto frame = read_request_frame(bytes);
  ASSERT_TRUE(frame.ok()) << frame.failure().message;
  EXPECT_FALSE(frame->api->has_version(2));
  EXPECT_LE(frame->api->lowest_advertised_version, 2);
  EXPECT_EQ(decode_request<produce_request>(*frame).code(), error_code::unsupported);
}

TEST(Frames, CutShortInTheHeaderAreRefused) {
  const byte_buffer whole = encode_message(header_of(api_key::fetch, 12), 2).value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto refused = read_request_frame(bytes_view(whole).first(size));
    ASSERT_FALSE(refused.ok()) << size;
    EXPECT_EQ(refused.code(), error_code::corrupt);
  }
}

TEST(Frames, TheAnswerOfApiVersionsNeverHasAFlexibleHeader) {
  for (const api_info& api : api_table) {
    const bool is_flexible = api.lowest_flexible_version <= api.highest_version;
    const std::int16_t expected = is_flexible && api.name != "ApiVersions" ? 1 : 0;
    EXPECT_EQ(api.response_header_version(api.highest_version), expected) << api.name;
    EXPECT_EQ(api.request_header_version(api.highest_version), is_flexible ? 2 : 1) << api.name;
  }
}

TEST(Frames, TheTableAndTheListHaveTheSameApis) {
  std::size_t count = 0;
  wire_apis::for_each([&]<typename Api>() {
    const api_info& info = info_of(Api::key);
    EXPECT_EQ(&info, &api_table[count++]) << info.name;
    EXPECT_EQ(Api::request::info.lowest_version, info.lowest_version) << info.name;
    EXPECT_EQ(Api::response::info.highest_version, info.highest_version) << info.name;
  });
  EXPECT_EQ(count, api_table.size());
}

// An array of a hundred million elements is announced; the frame holds none of them.
TEST(Frames, ACountAloneCostsNoMemory) {
  writer out;
  header_of(api_key::delete_groups, 1).encode(out, 1);
  out.write_integer<std::int32_t>(100'000'000);
  const byte_buffer bytes = std::move(out).take("frame").value();
  const auto refused = decode_request<delete_groups_request>(read_request_frame(bytes).value());
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.failure().message.find("100000000 elements"), std::string::npos);
}

}  // namespace
}  // namespace ringlog::protocol
