#include "server/http/http_request.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

namespace ringlog::server {
namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::string_view end_of_line = "\r\n";

std::string_view cut_line(std::string_view& text) {
  const std::size_t end = text.find(end_of_line);
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + end_of_line.size());
  return line;
}

std::string_view cut_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_same(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::optional<http_request> http_request_reader::refuse(int status, std::string why) {
  refusal_ = http_refusal{status, std::move(why)};
  head_ = {};
  return std::nullopt;
}

std::optional<http_request> http_request_reader::take(bytes_view& bytes) {
  while (!bytes.empty() && !refusal_) {
    head_ += static_cast<char>(bytes.front());
    bytes = bytes.subspan(1);
    if (head_ == end_of_line) head_.clear();  // a line too much between requests (RFC 9112, 2.2)
    if (head_.ends_with(end_of_head)) return parse(std::exchange(head_, {}));
    if (head_.size() >= limits::http_head_bytes_max) return refuse(431, "the head is too large");
  }
  return std::nullopt;
}

std::optional<http_request> http_request_reader::parse(std::string_view head) {
  std::string_view line = cut_line(head);
  http_request request;
  request.method = cut_word(line);
  std::string_view target = cut_word(line);
  const bool is_old = line == "HTTP/1.0";
  if (!is_old && line != "HTTP/1.1") return refuse(505, "HTTP/1.0 and HTTP/1.1 are spoken");
  if (!target.starts_with('/') || !is_visible(target)) return refuse(400, "a path is asked for");
  request.path = target.substr(0, target.find('?'));
  request.keeps_alive = !is_old;
  for (line = cut_line(head); !line.empty(); line = cut_line(head)) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || name.empty() || !is_visible(name)) {
      return refuse(400, "a header has a name and a colon");
    }
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (is_same(name, "Connection") && is_same(value, "close")) request.keeps_alive = false;
    if (is_same(name, "Transfer-Encoding") || (is_same(name, "Content-Length") && value != "0")) {
      return refuse(413, "no content is taken");
    }
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return refuse(405, "GET and HEAD are answered");
  }
  return request;
}

}  // namespace ringlog::server
