#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/task.h"
#include "protocol/wire/api.h"

namespace ringlog::client::remote {

// The frame that answered a request, and the version that both are in.
struct wire_answer {
  std::shared_ptr<const byte_buffer> frame;
  std::int16_t version = 0;
};

// One request on its way through a connection: encoded once the broker's versions are known, in the
// highest that both sides and the caller have. `done` is called once, on the network's thread, with
// nobody_there when nothing was sent, timed_out when the answer was lost or came too
// late, unsupported when the broker has no such version.
struct wire_call {
  protocol::api_key api{};
  std::int16_t highest_version = std::numeric_limits<std::int16_t>::max();
  std::int16_t lowest_version = 0;
  monotonic_time deadline;
  bool wants_answer = true;  // else it is done when it is handed to the socket
  callback<result<byte_buffer>(const protocol::request_header&)> encode;
  callback<void(result<wire_answer>)> done;
};

template <typename Response>
result<Response> decode_answer(const wire_answer& answer) {
  const protocol::api_info& info = protocol::info_of(protocol::api_key{Response::info.api_key});
  protocol::reader in(*answer.frame);
  protocol::response_header::decode(in, info.response_header_version(answer.version));
  Response response = Response::decode(in, answer.version);
  TRY(in.finish_early(Response::info.name));
  return response;
}

}  // namespace ringlog::client::remote
