// Frames of requests and responses: whatever decodes must encode to bytes that decode to the same
// bytes. The input is a request; behind its first four bytes (API key and version) also a response.
//
// seeds: *.request *.response
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "protocol/wire/api.h"
#include "protocol/wire/api_list.h"

namespace {

using namespace ringlog;

template <typename Message>
void carry(bytes_view bytes, std::int16_t version) {
  const auto decoded = protocol::decode_message<Message>(bytes, version);
  if (!decoded.ok()) return;
  const auto encoded = protocol::encode_message(decoded.value(), version);
  CHECK(encoded.ok(), "what was decoded must encode");
  const auto again = protocol::decode_message<Message>(encoded.value(), version);
  CHECK(again.ok(), "what was encoded must decode");
  CHECK(protocol::encode_message(again.value(), version).value() == encoded.value(),
        "encoding must be stable");
}

void response(std::int16_t key, std::int16_t version, bytes_view frame) {
  const protocol::api_info& api = *protocol::find_api(key);
  protocol::reader in(frame);
  const auto header = protocol::response_header::decode(in, api.response_header_version(version));
  static_cast<void>(header);
  const bytes_view body = in.read_view(in.bytes_left());
  if (!in.finish("response header").ok()) return;
  protocol::wire_apis::visit(key,
                             [&]<typename Api>() { carry<typename Api::response>(body, version); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const bytes_view input(reinterpret_cast<const std::byte*>(data), size);
  if (size < 4) return 0;
  const auto key = load_be<std::int16_t>(input.data());
  const auto version = load_be<std::int16_t>(input.data() + 2);
  if (protocol::find_api(key) != nullptr) response(key, version, input.subspan(4));
  const auto frame = protocol::read_request_frame(input);
  if (!frame.ok()) return 0;
  protocol::wire_apis::visit(
      key, [&]<typename Api>() { carry<typename Api::request>(frame->body, version); });
  return 0;
}
