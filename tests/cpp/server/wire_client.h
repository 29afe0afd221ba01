#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/endian.h"
#include "io/owned_descriptor.h"
#include "io/socket_address.h"
#include "protocol/wire/api_list.h"

namespace ringlog::server {

// A client over a blocking socket that says what it is told to, right or wrong. Every wait ends
// after answer_wait_ms.
class wire_client {
 public:
  static constexpr int answer_wait_ms = 30'000;

  explicit wire_client(const io::socket_address& where)
      : socket_(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto target = where.to_system();
    CHECK(::connect(socket_.number(), target->address(), target->size) == 0, "connect", errno);
  }

  void send(bytes_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0) return;  // the server has closed; receive() tells
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
  }

  // What does not fit into the kernel's buffers is not sent; how much was.
  std::size_t send_what_fits(bytes_view bytes) {
    const ssize_t size =
        ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
  }

  // The size in front.
  static byte_buffer framed(bytes_view content) {
    byte_buffer frame(4 + content.size());
    store_be(frame.data(), static_cast<std::int32_t>(content.size()));
    std::ranges::copy(content, frame.begin() + 4);
    return frame;
  }

  template <typename Request>
  static byte_buffer frame_of(const Request& request, std::int16_t version, std::int32_t id = 1) {
    protocol::request_header header;
    header.request_api_key = Request::info.api_key;
    header.request_api_version = version;
    header.correlation_id = id;
    header.client_id = "wire_client";
    return framed(protocol::encode_request(header, request).value());
  }

  // The next frame without its size; none when the server has closed.
  std::optional<byte_buffer> receive() {
    const auto size = receive_exactly(4);
    if (!size) return std::nullopt;
    return receive_exactly(static_cast<std::size_t>(load_be<std::int32_t>(size->data())));
  }

  // What comes until the server closes.
  std::string receive_to_end() {
    std::string all;
    while (const auto byte = receive_exactly(1)) all += static_cast<char>(byte->front());
    return all;
  }

  bool is_closed_by_server() { return !receive_exactly(1); }

  static std::int32_t id_of(bytes_view answer) { return load_be<std::int32_t>(answer.data()); }

  template <typename Response>
  static Response decode(bytes_view answer, std::int16_t version) {
    protocol::reader in(answer);
    const auto& info = protocol::info_of(protocol::api_key{Response::info.api_key});
    protocol::response_header::decode(in, info.response_header_version(version));
    Response response = Response::decode(in, version);
    const status whole = in.finish(Response::info.name);
    EXPECT_TRUE(whole.ok()) << whole.failure().message;
    return response;
  }

  // Asks and waits. An API is a pair of messages: ask<protocol::fetch_response>(request, 12).
  template <typename Response, typename Request>
  Response ask(const Request& request, std::int16_t version) {
    send(frame_of(request, version));
    const auto answer = receive();
    if (!answer) {
      ADD_FAILURE() << "the server has closed instead of answering " << Request::info.name;
      return {};
    }
    return decode<Response>(*answer, version);
  }

 private:
  std::optional<byte_buffer> receive_exactly(std::size_t size) {
    byte_buffer bytes(size);
    for (std::size_t at = 0; at < size;) {
      pollfd ready{socket_.number(), POLLIN, 0};
      if (::poll(&ready, 1, answer_wait_ms) <= 0) {
        ADD_FAILURE() << "no answer";
        return std::nullopt;
      }
      const ssize_t got = ::recv(socket_.number(), bytes.data() + at, size - at, 0);
      if (got <= 0) return std::nullopt;
      at += static_cast<std::size_t>(got);
    }
    return bytes;
  }

  io::owned_descriptor socket_;
};

}  // namespace ringlog::server
