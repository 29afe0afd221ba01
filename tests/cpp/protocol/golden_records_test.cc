// Every record that Kafka keeps in its internal topics and in the metadata log: decoded it reads as
// kafka-dump-log prints it, encoded again it has the same bytes.

#include <string>

#include "golden.h"
#include "model/record.h"
#include "model/record_batch.h"
#include "protocol/stored/consumer_protocol/messages.h"
#include "protocol/stored/control/messages.h"
#include "protocol/stored/coordinator_record.h"
#include "protocol/stored/metadata_record.h"

namespace ringlog::protocol {
namespace {

using golden::json;

// What the dump says about one record; `said` is what follows the keys of the line.
struct dumped_record {
  std::int64_t offset = 0;
  std::string said;
};

std::vector<dumped_record> dumped_records(const std::vector<std::string>& lines) {
  std::vector<dumped_record> found;
  for (const std::string& line : lines) {
    const std::string head = "| offset: ", tail = "headerKeys: [] ";
    if (line.rfind(head, 0) != 0) continue;
    found.push_back(
        {std::stoll(line.substr(head.size())), line.substr(line.find(tail) + tail.size())});
  }
  return found;
}

// Calls `visit` with each record of a file and what the dump says of it; answers their number.
template <typename Visit>
int for_each_record(const std::filesystem::path& path, const std::vector<std::string>& lines,
                    Visit visit) {
  const auto expected = dumped_records(lines);
  const byte_buffer bytes = golden::read_bytes(path);
  std::size_t count = 0;
  bytes_view left = bytes;
  while (true) {
    const auto batch = model::parse_batch(left);
    if (!batch.ok() || !batch->has_value()) break;
    EXPECT_EQ((*batch)->compression(), compression_type::none);
    model::record_iterator records(**batch, (*batch)->records());
    for (model::record_view record; records.next(record); ++count) {
      if (count >= expected.size()) return -1;
      EXPECT_EQ(record.offset.value(), expected[count].offset) << path;
      visit(record, (*batch)->is_control(), expected[count].said);
    }
    left = left.subspan((*batch)->size_in_bytes());
  }
  EXPECT_EQ(count, expected.size()) << path;
  return static_cast<int>(count);
}

// "key: {...} payload: {...}" -> the two parts.
std::pair<std::string, std::string> split_key_and_payload(const std::string& said) {
  const std::string key = "key: ", payload = " payload: ";
  const auto middle = said.find(payload);
  return {said.substr(key.size(), middle - key.size()), said.substr(middle + payload.size())};
}

// The dump prints what the members of a consumer group sent each other, not its bytes.
template <typename Message>
void decode_in_place(json& bytes) {
  const std::string text = golden::from_base64(bytes).value();
  const auto decoded = decode_versioned_leniently<Message>(as_bytes(text));
  ASSERT_TRUE(decoded.ok()) << decoded.failure().message;
  bytes = json::parse(to_json(*decoded, load_be<std::int16_t>(as_bytes(text).data())));
}

json readable(const std::string& value) {
  json parsed = json::parse(value);
  if (parsed["data"].value("protocolType", "") == "consumer") {
    for (json& member : parsed["data"]["members"]) {
      decode_in_place<consumer_protocol_subscription>(member["subscription"]);
      decode_in_place<consumer_protocol_assignment>(member["assignment"]);
    }
  }
  return parsed;
}

template <typename... Values>
byte_buffer reencode_value(message_list<Values...>, std::int16_t type, bytes_view value) {
  byte_buffer again;
  const auto version = load_be<std::int16_t>(value.data());
  const auto reencode = [&]<typename Value>() {
    if (Value::info.api_key != type) return;
    again = encode_versioned(decode_versioned<Value>(value).value(), version).value();
  };
  (reencode.template operator()<Values>(), ...);
  return again;
}

template <typename Keys, typename Values>
int check_coordinator_records(const std::string& which, const std::string& expected, Keys keys,
                              Values values) {
  const golden::directory unpacked(which);
  int count = 0;
  for (const auto& [file, lines] : golden::sections(which, expected)) {
    count += for_each_record(
        unpacked.path() / file, lines,
        [&](const model::record_view& record, bool is_control, const std::string& said) {
          if (is_control) {
            const auto marker = decode_versioned<end_txn_marker>(*record.value);
            EXPECT_TRUE(marker.ok());
            EXPECT_EQ(encode_versioned(*marker, 0).value(), to_buffer(*record.value));
            EXPECT_NE(said.find(fmt::format("coordinatorEpoch: {}", marker->coordinator_epoch)),
                      std::string::npos)
                << said;
            return;
          }
          const auto [key_text, value_text] = split_key_and_payload(said);
          const auto key = decode_coordinator_key(keys, *record.key);
          ASSERT_TRUE(key.ok()) << key.failure().message;
          ASSERT_NE(key->index(), 0u) << said;
          EXPECT_EQ(json::parse(coordinator_key_to_json(*key)), json::parse(key_text));
          const byte_buffer key_again = std::visit(
              [](const auto& message) { return encode_coordinator_key(message).value(); }, *key);
          EXPECT_EQ(key_again, to_buffer(*record.key));
          if (!record.value) {
            EXPECT_EQ(value_text, "<DELETE>");
            return;
          }
          const auto type = load_be<std::int16_t>(record.key->data());
          const auto value = coordinator_value_to_json(values, type, *record.value);
          ASSERT_TRUE(value.ok()) << value.failure().message << "\n" << said;
          EXPECT_EQ(readable(*value), json::parse(value_text));
          EXPECT_EQ(reencode_value(values, type, *record.value), to_buffer(*record.value)) << said;
        });
  }
  return count;
}

TEST(Golden, ConsumerOffsets) {
  GOLDEN_OR_SKIP();
  for (const auto* which : {"clean", "killed"}) {
    EXPECT_GT(
        check_coordinator_records(which, "consumer_offsets.txt", group_keys{}, group_values{}), 50);
  }
}

TEST(Golden, TransactionState) {
  GOLDEN_OR_SKIP();
  EXPECT_GT(check_coordinator_records("killed", "transaction_state.txt", transaction_keys{},
                                      transaction_values{}),
            20);
}

TEST(Golden, ShareGroupState) {
  GOLDEN_OR_SKIP();
  EXPECT_GT(
      check_coordinator_records("killed", "share_group_state.txt", share_keys{}, share_values{}),
      1);
}

// "LeaderChange: {...}", "SnapshotHeader {...}" -> the name and the JSON.
template <typename Message>
void check_control(const model::record_view& record, const std::string& said) {
  const auto decoded = decode_message<Message>(*record.value, 0);
  ASSERT_TRUE(decoded.ok()) << decoded.failure().message;
  EXPECT_EQ(json::parse(to_json(*decoded, 0)), json::parse(said.substr(said.find('{'))));
  EXPECT_EQ(encode_message(*decoded, 0).value(), to_buffer(*record.value));
}

void check_control_record(const model::record_view& record, const std::string& said) {
  const auto key = decode_versioned<control_record_type_schema>(*record.key);
  ASSERT_TRUE(key.ok());
  switch (key->type) {
    case 2:
      return check_control<leader_change_message>(record, said);
    case 3:
      return check_control<snapshot_header_record>(record, said);
    case 4:
      return check_control<snapshot_footer_record>(record, said);
    case 5:
      return check_control<kraft_version_record>(record, said);
    case 6:
      return check_control<voters_record>(record, said);
    default:
      FAIL() << "control record of type " << key->type;
  }
}

TEST(Golden, Metadata) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("killed");
  int count = 0;
  for (const auto& [file, lines] : golden::sections("killed", "metadata.txt")) {
    count += for_each_record(
        unpacked.path() / file, lines,
        [](const model::record_view& record, bool is_control, const std::string& said) {
          if (is_control) return check_control_record(record, said);
          const auto decoded = decode_metadata_record(*record.value);
          ASSERT_TRUE(decoded.ok()) << decoded.failure().message << "\n" << said;
          ASSERT_NE(decoded->message.index(), 0u) << said;
          EXPECT_EQ(json::parse(to_json(*decoded)), json::parse(said.substr(said.find('{'))));
          EXPECT_EQ(encode_metadata_record(*decoded).value(), to_buffer(*record.value)) << said;
        });
  }
  EXPECT_GT(count, 1500);
}

}  // namespace
}  // namespace ringlog::protocol
