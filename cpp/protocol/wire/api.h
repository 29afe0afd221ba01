#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/codec.h"
#include "protocol/wire/api_info.h"
#include "protocol/wire/api_table.h"
#include "protocol/wire/headers.h"

// Requests and responses as frames: a header, then the message. The connection puts the length of a
// frame in front of it.
//
// A request is views: its strings, bytes and records lie in the frame, which whoever keeps the
// request keeps too, so that neither names nor records are copied to be looked at. Arrays are
// vectors; there are few of them in a request, so an arena for them would not pay. A response owns
// its strings and bytes, because they come from everywhere; its records are views (records_ref).
//
// The memory of a decoded message is bounded by its frame: no count is believed beyond the bytes
// left, and an element that takes one byte or two of the frame takes about a hundred in memory.
namespace ringlog::protocol {

// An API as a type: what handlers are made for and lists are made of.
template <typename Request, typename Response>
struct api {
  using request = Request;
  using response = Response;
  static constexpr api_key key{Request::info.api_key};
};

template <typename... Apis>
struct api_list {
  // Calls `visit.template operator()<Api>()` for each API, in the order of api keys.
  template <typename Visit>
  static void for_each(Visit visit) {
    (visit.template operator()<Apis>(), ...);
  }
  // The same for the one with that key; false if none has it.
  template <typename Visit>
  static bool visit(std::int16_t key, Visit visit) {
    return ((Apis::request::info.api_key == key && (visit.template operator()<Apis>(), true)) ||
            ...);
  }
};

// Null if there is none.
const api_info* find_api(std::int16_t key);
const api_info& info_of(api_key key);

// A request whose header has been read. Views the frame.
struct request_frame {
  request_header header;
  const api_info* api;
  bytes_view body;
};

// Refuses with error_code::unsupported an api key that we do not have; the caller closes the
// connection, as Kafka does. A version that we do not have is left to the caller: ApiVersions is
// answered all the same, in version 0 and without reading the body, everything else is refused.
result<request_frame> read_request_frame(bytes_view frame);

// The message that follows the header; an error says which API and version. What is left over is
// ignored, as by Kafka: librdkafka 2.16 leaves bytes behind some of its Metadata requests.
template <typename Request>
result<Request> decode_request(const request_frame& frame) {
  reader in(frame.body);
  Request request = Request::decode(in, frame.header.request_api_version);
  TRY(in.finish_early(Request::info.name));
  return request;
}

template <typename Request>
result<byte_buffer> encode_request(const request_header& header, const Request& request) {
  const api_info& info = info_of(api_key{Request::info.api_key});
  writer out;
  header.encode(out, info.request_header_version(header.request_api_version));
  request.encode(out, header.request_api_version);
  return std::move(out).take(info.name);
}

template <typename Response>
result<byte_buffer> encode_response(std::int32_t correlation_id, const Response& response,
                                    std::int16_t version) {
  const api_info& info = info_of(api_key{Response::info.api_key});
  writer out;
  response_header header;
  header.correlation_id = correlation_id;
  header.encode(out, info.response_header_version(version));
  response.encode(out, version);
  return std::move(out).take(info.name);
}

}  // namespace ringlog::protocol
