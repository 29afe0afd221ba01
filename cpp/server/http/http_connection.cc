#include "server/http/http_connection.h"

#include <utility>

#include "server/http/http_home.h"

namespace ringlog::server {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Bad Request";
  }
}

shared_bytes share(std::string text) {
  const auto owner = std::make_shared<std::string>(std::move(text));
  return {owner, as_bytes(*owner)};
}

}  // namespace

http_connection::http_connection(http_home& home) : home_(home), last_used_(home.time().now()) {
  route_->loop = &home.loop();
  route_->target = this;
}

http_connection::~http_connection() { home_.remove(*this); }

void http_connection::opened(io::connection& mine) {
  mine_ = &mine;
  home_.add(*this);
}

void http_connection::closed(const error&) {
  mine_ = nullptr;
  const std::lock_guard lock(route_->mutex);
  route_->loop = nullptr;
  route_->target = nullptr;
}

void http_connection::close(std::string_view why) {
  if (mine_ != nullptr) mine_->close(make_error(error_code::closed, "{}", why));
}

// It may wait for its answer all the same.
void http_connection::peer_ended() {
  keeps_alive_ = false;
  if (!is_answering_ && mine_ != nullptr) mine_->end_sending();
}

void http_connection::received(bytes_view bytes) {
  if (is_over_) return;  // taken off, so that the last answer is not lost with them
  last_used_ = home_.time().now();
  append(held_, bytes);
  read();
}

void http_connection::read() {
  bytes_view rest = held_;
  while (!rest.empty() && !is_answering_ && !is_over_ && mine_ != nullptr &&
         mine_->unsent_bytes() == 0) {
    auto request = input_.take(rest);
    if (request) {
      begin(std::move(*request));
    } else if (input_.refusal()) {
      keeps_alive_ = false;
      is_answering_ = true;
      answer({input_.refusal()->status, "text/plain; charset=utf-8", input_.refusal()->why + "\n"});
    }
  }
  if (is_over_) rest = {};
  held_.erase(held_.begin(), held_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  if (mine_ == nullptr) return;
  if (held_.empty()) {
    mine_->resume();
  } else {
    mine_->pause();
  }
}

void http_connection::begin(http_request request) {
  is_answering_ = true;
  wants_content_ = request.method != "HEAD";
  keeps_alive_ = request.keeps_alive;
  home_.answer(request, [route = route_](http_writer write) {
    const std::lock_guard lock(route->mutex);
    if (route->loop == nullptr) return;
    route->loop->post([route, write = std::move(write)]() mutable {
      http_connection* mine = route->target;
      if (mine == nullptr) return;
      mine->answer(write());
      mine->read();
    });
  });
}

void http_connection::answer(const http_answer& given) {
  is_answering_ = false;
  last_used_ = home_.time().now();
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n\r\n",
      given.status, reason_of(given.status), given.content_type, given.content.size(),
      keeps_alive_ ? "keep-alive" : "close");
  if (mine_ == nullptr) return;
  std::vector<shared_bytes> parts{share(std::move(head))};
  if (wants_content_ && !given.content.empty()) parts.push_back(share(given.content));
  mine_->send(std::move(parts));
  is_over_ = !keeps_alive_;
  if (is_over_) mine_->end_sending();
}

void http_connection::sent() {
  last_used_ = home_.time().now();
  read();
}

void http_connection::check_idle(monotonic_time now) {
  if (now - last_used_ > limits::http_idle_max) close("idle for too long");
}

}  // namespace ringlog::server
