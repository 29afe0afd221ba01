#include "protocol/wire_messages.h"

#include "protocol/codec.h"
#include "protocol/json.h"
#include "protocol/random_message.h"
#include "protocol/wire/api_list.h"

namespace ringlog::protocol {
namespace {

template <typename Message>
byte_buffer make(random_source& random, std::int16_t version) {
  random_filler filler(random, version);
  return encode_message(filler.make<Message>(), version).value();
}

template <typename Message>
result<carried> carry(bytes_view bytes, std::int16_t version) {
  TRY_ASSIGN(const auto message, decode_message<Message>(bytes, version));
  TRY_ASSIGN(auto again, encode_message(message, version));
  return carried{to_json(message, version), std::move(again)};
}

template <typename Message>
wire_message erased(bool is_request) {
  return {Message::info, is_request, make<Message>, carry<Message>};
}

}  // namespace

const std::vector<wire_message>& requests_and_responses() {
  static const std::vector<wire_message> all = [] {
    std::vector<wire_message> found;
    wire_apis::for_each([&]<typename Api>() {
      found.push_back(erased<typename Api::request>(true));
      found.push_back(erased<typename Api::response>(false));
    });
    return found;
  }();
  return all;
}

const wire_message* find_wire_message(std::int16_t api_key, bool is_request) {
  for (const wire_message& message : requests_and_responses()) {
    if (message.info.api_key == api_key && message.is_request == is_request) return &message;
  }
  return nullptr;
}

}  // namespace ringlog::protocol
