// The rules of the language, each on one message: versions, null, tags, framing.

#include <gtest/gtest.h>

#include "protocol/codec.h"
#include "protocol/json.h"
#include "protocol/stored/consumer_protocol/messages.h"
#include "protocol/stored/coordinator_record.h"
#include "protocol/stored/metadata_record.h"

namespace ringlog::protocol {
namespace {

byte_buffer from_hex(std::string_view hex) {
  byte_buffer bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(Writer, RefusesAValueForAFieldThatTheVersionLacks) {
  partition_record record;
  record.directories = {uuid{}};
  EXPECT_TRUE(encode_message(record, 1).ok());
  const auto refused = encode_message(record, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.failure().message.find("partition_record.directories"), std::string::npos);
}

TEST(Writer, DropsAnIgnorableFieldThatTheVersionLacks) {
  offset_commit_value value;
  value.offset = 7;
  value.leader_epoch = 3;
  const auto bytes = encode_message(value, 0);
  ASSERT_TRUE(bytes.ok()) << bytes.failure().message;
  EXPECT_EQ(decode_message<offset_commit_value>(*bytes, 0)->leader_epoch, -1);
}

TEST(Writer, RefusesTextThatIsTooLong) {
  topic_record record;
  record.name = std::string(40'000, 'x');
  EXPECT_FALSE(encode_message(record, 0).ok());
}

TEST(Writer, WritesATaggedFieldOnlyWhenItIsNotTheDefault) {
  partition_change_record change;
  const auto small = encode_message(change, 0).value();
  EXPECT_EQ(small.back(), std::byte{0});  // no tagged fields
  change.leader = 1;
  const auto with_leader = encode_message(change, 0).value();
  EXPECT_EQ(with_leader.size(), small.size() + 6);  // tag, size and four bytes
}

TEST(Reader, RefusesAVersionThatItDoesNotKnow) {
  const auto decoded = decode_message<topic_record>(from_hex("00"), 1);
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.code(), error_code::unsupported);
}

TEST(Reader, RefusesACountThatTheBytesCannotHold) {
  // member_metadata of version 0 has at least 18 bytes; two billion of them are announced.
  const auto decoded = decode_message<group_metadata_value>(from_hex("00000000000000000000"
                                                                     "7fffffff"),
                                                            0);
  ASSERT_FALSE(decoded.ok());
  EXPECT_NE(decoded.failure().message.find("2147483647 elements"), std::string::npos);
}

TEST(Reader, RefusesTagsThatDoNotRise) {
  // A no-op record with the tagged fields 5 and 5, each empty.
  EXPECT_FALSE(decode_message<no_op_record>(from_hex("0205000500"), 0).ok());
  EXPECT_TRUE(decode_message<no_op_record>(from_hex("0205000600"), 0).ok());
}

TEST(Reader, RefusesATaggedFieldOfTheWrongSize) {
  // begin_transaction_record: tag 0 announces four bytes, the name "ab" has three.
  EXPECT_TRUE(decode_message<begin_transaction_record>(from_hex("010003036162"), 0).ok());
  EXPECT_FALSE(decode_message<begin_transaction_record>(from_hex("01000403616200"), 0).ok());
}

TEST(Reader, KeepsUnknownTaggedFieldsInTheirPlace) {
  const byte_buffer bytes = from_hex("0205020a0b0600");
  const auto decoded = decode_message<no_op_record>(bytes, 0);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->unknown_tagged_fields.size(), 2u);
  EXPECT_EQ(encode_message(*decoded, 0).value(), bytes);
}

TEST(ConsumerProtocol, ReadsANewerVersionAsItsOwn) {
  consumer_protocol_subscription subscription;
  subscription.topics = {"orders"};
  subscription.rack_id = "r1";
  byte_buffer bytes = encode_versioned(subscription, 3).value();
  bytes[1] = std::byte{9};
  bytes.push_back(std::byte{42});
  EXPECT_FALSE(decode_versioned<consumer_protocol_subscription>(bytes).ok());
  EXPECT_EQ(decode_versioned_leniently<consumer_protocol_subscription>(bytes).value(),
            subscription);
}

TEST(CoordinatorRecord, TheVersionOfAKeyIsTheTypeOfTheRecord) {
  offset_commit_key key;
  key.group = "g";
  key.topic = "t";
  key.partition = 2;
  const byte_buffer bytes = encode_coordinator_key(key).value();
  EXPECT_EQ(bytes, from_hex("0001"
                            "000167"
                            "000174"
                            "00000002"));
  const group_key decoded = decode_group_key(bytes).value();
  ASSERT_TRUE(std::holds_alternative<offset_commit_key>(decoded));
  EXPECT_EQ(std::get<offset_commit_key>(decoded), key);
  EXPECT_EQ(coordinator_key_to_json(decoded),
            R"({"type":"1","data":{"group":"g","topic":"t","partition":2}})");
}

TEST(CoordinatorRecord, AnUnknownTypeIsKept) {
  const byte_buffer bytes = from_hex("03e70102");
  const group_key decoded = decode_group_key(bytes).value();
  ASSERT_TRUE(std::holds_alternative<unknown_coordinator_key>(decoded));
  EXPECT_EQ(encode_coordinator_key(std::get<unknown_coordinator_key>(decoded)).value(), bytes);
}

TEST(MetadataRecord, AnUnknownTypeIsKept) {
  const byte_buffer bytes = from_hex(
      "01"
      "e707"
      "03"
      "aabb");
  const auto decoded = decode_metadata_record(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.failure().message;
  EXPECT_EQ(std::get<unknown_metadata_message>(decoded->message).api_key, 999);
  EXPECT_EQ(decoded->version, 3);
  EXPECT_EQ(encode_metadata_record(*decoded).value(), bytes);
}

TEST(MetadataRecord, AnotherFrameVersionIsRefused) {
  EXPECT_EQ(decode_metadata_record(from_hex("020c00")).code(), error_code::unsupported);
  EXPECT_EQ(decode_metadata_record(from_hex("01ffff0f00")).code(), error_code::corrupt);
}

TEST(Json, IsWrittenAsKafkaWritesIt) {
  config_record config;
  config.resource_type = 2;
  config.resource_name = "a\"b\\\n\x01";
  EXPECT_EQ(to_json(metadata_record{config, 0}),
            R"({"type":"CONFIG_RECORD","version":0,"data":{"resourceType":2,)"
            R"("resourceName":"a\"b\\\n\u0001","name":"","value":""}})");
  user_scram_credential_record user;
  user.salt = from_hex("000102ff");
  EXPECT_NE(to_json(user, 0).find(R"("salt":"AAEC/w==")"), std::string::npos);
}

}  // namespace
}  // namespace ringlog::protocol
