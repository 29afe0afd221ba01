// Requests of HTTP clients, good, bad and cut into pieces.

#include "server/http/http_request.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "random_seed.h"

namespace ringlog::server {
namespace {

struct read_requests {
  std::vector<http_request> requests;
  int refused = 0;  // HTTP's number
};

read_requests read_all(http_request_reader& reader, std::string_view text) {
  read_requests read;
  bytes_view rest = as_bytes(text);
  while (auto request = reader.take(rest)) read.requests.push_back(*request);
  if (reader.refusal()) read.refused = reader.refusal()->status;
  return read;
}

read_requests read_all(std::string_view text) {
  http_request_reader reader;
  return read_all(reader, text);
}

TEST(HttpRequestTest, ReadsOneAfterAnother) {
  const auto read = read_all(
      "GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n\r\nHEAD /health HTTP/1.0\r\n\r\n"
      "GET / HTTP/1.1\r\ncoNNection:  CLOSE \r\ncontent-length: 0\r\n\r\nGET /rest");
  ASSERT_EQ(read.requests.size(), 3u);
  EXPECT_EQ(read.refused, 0);
  EXPECT_EQ(read.requests[0].path, "/metrics");
  EXPECT_EQ(read.requests[0].method, "GET");
  EXPECT_TRUE(read.requests[0].keeps_alive);
  EXPECT_EQ(read.requests[1].method, "HEAD");
  EXPECT_FALSE(read.requests[1].keeps_alive);
  EXPECT_FALSE(read.requests[2].keeps_alive);
}

TEST(HttpRequestTest, RefusesWhatItDoesNotSpeak) {
  const std::pair<std::string, int> cases[] = {
      {"POST /metrics HTTP/1.1\r\n\r\n", 405},
      {"GET /metrics HTTP/2.0\r\n\r\n", 505},
      {"GET /metrics\r\n\r\n", 505},
      {"GET metrics HTTP/1.1\r\n\r\n", 400},
      {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n: none\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 413},
      {"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", 413},
      {std::string("\0\0\0\x10\0\x12\0\0", 8) + "\r\n\r\n", 505},
      {"GET /" + std::string(limits::http_head_bytes_max, 'x'), 431},
  };
  for (const auto& [text, status] : cases) {
    const auto read = read_all(text);
    EXPECT_TRUE(read.requests.empty()) << text;
    EXPECT_EQ(read.refused, status) << text;
  }
}

TEST(HttpRequestTest, NothingIsReadAfterARefusal) {
  http_request_reader reader;
  EXPECT_EQ(read_all(reader, "PUT / HTTP/1.1\r\n\r\n").refused, 405);
  EXPECT_TRUE(read_all(reader, "GET / HTTP/1.1\r\n\r\n").requests.empty());
}

// However the bytes are cut, and whatever they are, memory is bounded and good requests are found.
TEST(HttpRequestTest, PiecesAndNoise) {
  seeded_random random(test_seed());
  const std::string good = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int round = 0; round < 2000; ++round) {
    http_request_reader reader;
    std::size_t found = 0;
    for (int i = 0; i < 3; ++i) {
      std::string_view rest = good;
      while (!rest.empty()) {
        const std::size_t size = 1 + random.below(rest.size());
        found += read_all(reader, rest.substr(0, size)).requests.size();
        rest.remove_prefix(size);
      }
    }
    EXPECT_EQ(found, 3u);
    std::string noise = good;
    for (int i = 0; i < 3; ++i)
      noise[random.below(noise.size())] = static_cast<char>(random.next());
    read_all(noise);
  }
}

}  // namespace
}  // namespace ringlog::server
