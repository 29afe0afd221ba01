#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace ringlog::server {

// What is asked with GET or HEAD.
struct http_request {
  std::string method;
  std::string path;  // without the query
  bool keeps_alive = true;
};

// A refusal with HTTP's number; the connection ends with it.
struct http_refusal {
  int status = 400;
  std::string why;
};

// Puts the requests of one connection together (RFC 9112), as much of HTTP/1.0 and 1.1 as a
// reading client needs: a head of bounded size, no body. Any other input is refused once, and
// nothing is read after that.
class http_request_reader {
 public:
  // Takes bytes off the front until a request is whole. None: more has to come, or it was refused.
  std::optional<http_request> take(bytes_view& bytes);

  const std::optional<http_refusal>& refusal() const { return refusal_; }

 private:
  std::optional<http_request> parse(std::string_view head);
  std::optional<http_request> refuse(int status, std::string why);

  std::string head_;
  std::optional<http_refusal> refusal_;
};

}  // namespace ringlog::server

namespace ringlog::limits {

// Of an HTTP request: its line and its headers.
inline constexpr std::size_t http_head_bytes_max = 8 * 1024;

}  // namespace ringlog::limits
