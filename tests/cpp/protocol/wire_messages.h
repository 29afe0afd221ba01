#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "protocol/message.h"

// Every request and response as functions, so that a test of all of them is compiled once and not
// once for each of a hundred types.
namespace ringlog::protocol {

// What became of a message that was decoded and encoded again.
struct carried {
  std::string json;
  byte_buffer bytes;
};

struct wire_message {
  message_info info;
  bool is_request;
  // A message with random values.
  byte_buffer (*make)(random_source& random, std::int16_t version);
  result<carried> (*carry)(bytes_view bytes, std::int16_t version);
};

// Ordered by api key; the request before its response.
const std::vector<wire_message>& requests_and_responses();

// Null if there is none.
const wire_message* find_wire_message(std::int16_t api_key, bool is_request);

}  // namespace ringlog::protocol
