#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "io/loop.h"
#include "io/network.h"
#include "server/http/http_answer.h"
#include "server/http/http_request.h"

namespace ringlog::server {

class http_home;

// One client of the HTTP endpoint: its requests are answered one after another, and nothing more
// is read while one is under way or an answer is not taken. It is closed when it asks for it, after
// a refusal, and when it is idle for limits::http_idle_max.
//
// Owned by its io::connection; all on its thread.
class http_connection final : public io::connection_user {
 public:
  explicit http_connection(http_home& home);
  ~http_connection() override;

  void opened(io::connection& mine) override;
  void received(bytes_view bytes) override;
  void peer_ended() override;
  void sent() override;
  void closed(const error& cause) override;

  void check_idle(monotonic_time now);
  void close(std::string_view why);

 private:
  // The way back from wherever an answer is made; shared with whoever makes one.
  struct route {
    std::mutex mutex;
    io::loop* loop = nullptr;           // null when the connection is closed
    http_connection* target = nullptr;  // used on its thread
  };

  void read();
  void begin(http_request request);
  void answer(const http_answer& given);

  http_home& home_;
  const std::shared_ptr<route> route_ = std::make_shared<route>();
  io::connection* mine_ = nullptr;  // while it is open
  http_request_reader input_;
  byte_buffer held_;  // received, but not read yet
  bool is_answering_ = false;
  bool wants_content_ = true;
  bool keeps_alive_ = true;
  bool is_over_ = false;  // the last answer is on its way
  monotonic_time last_used_;
};

}  // namespace ringlog::server

namespace ringlog::limits {

inline constexpr std::size_t http_connections_max = 64;
inline constexpr milliseconds http_idle_max{60'000};
inline constexpr milliseconds http_sweep_interval{1'000};

}  // namespace ringlog::limits
