#include "metadata/check/coordinator_records_check.h"

#include <variant>

#include "model/record.h"
#include "model/topic_name.h"
#include "protocol/reader.h"
#include "protocol/stored/coordinator_record.h"

namespace ringlog::metadata {

namespace {

template <typename... Values>
status check_value(protocol::message_list<Values...>, std::int16_t type, bytes_view value) {
  protocol::reader in(value);
  const auto version = in.read_integer<std::int16_t>();
  const auto decode = [&]<typename Message>(const Message*) {
    in.check_version(Message::info, version);
    if (in.ok()) static_cast<void>(Message::decode(in, version));
    return true;
  };
  const bool known =
      ((Values::info.api_key == type && decode(static_cast<const Values*>(nullptr))) || ...);
  return known ? in.finish(fmt::format("value of type {}", type)) : status();
}

template <typename... Keys>
std::int16_t type_of(const std::variant<protocol::unknown_coordinator_key, Keys...>& key) {
  return std::visit(
      []<typename Message>(const Message& message) -> std::int16_t {
        if constexpr (std::same_as<Message, protocol::unknown_coordinator_key>) {
          return message.type;
        } else {
          return Message::info.api_key;
        }
      },
      key);
}

template <typename KeyList, typename ValueList>
storage::batch_visitor visitor_of(KeyList keys, ValueList values) {
  return [keys, values](const model::batch_view& batch, bytes_view plain) -> status {
    if (batch.is_control()) return {};
    model::record_iterator records(batch, plain);
    for (model::record_view record; records.next(record);) {
      const auto check = [&]() -> status {
        if (!record.key) return make_error(error_code::corrupt, "it has no key");
        TRY_ASSIGN(const auto key, protocol::decode_coordinator_key(keys, *record.key));
        return record.value ? check_value(values, type_of(key), *record.value) : status();
      };
      status good = check();
      if (!good.ok()) {
        return std::move(good.failure()).with_context(fmt::format("offset {}", record.offset));
      }
    }
    return {};
  };
}

}  // namespace

storage::batch_visitor coordinator_records_check(const std::string& topic) {
  if (topic == model::group_metadata_topic) {
    return visitor_of(protocol::group_keys{}, protocol::group_values{});
  }
  if (topic == model::transaction_state_topic) {
    return visitor_of(protocol::transaction_keys{}, protocol::transaction_values{});
  }
  if (topic == model::share_group_state_topic) {
    return visitor_of(protocol::share_keys{}, protocol::share_values{});
  }
  return {};
}

}  // namespace ringlog::metadata
