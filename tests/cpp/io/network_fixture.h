#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/engine_fixture.h"
#include "io/socket_network.h"

namespace ringlog::io {

// What one end of a connection has seen, and what it shall do about it.
struct side {
  connection* mine = nullptr;  // while it is open
  std::string received;
  bool peer_ended = false;
  int sent_calls = 0;
  std::optional<error> cause;

  std::function<void(side&)> when_opened;
  std::function<void(side&, bytes_view)> when_received;
  std::function<void(side&)> when_peer_ended;
  std::function<void(side&)> when_sent;
  std::function<void(side&)> when_closed;

  void send(std::string text) {
    const auto owner = std::make_shared<std::string>(std::move(text));
    mine->send({{owner, as_bytes(*owner)}});
  }
};

class side_user final : public connection_user {
 public:
  explicit side_user(side& into) : side_(into) {}
  ~side_user() override { EXPECT_TRUE(side_.cause.has_value()) << "no closed() before the end"; }

  void opened(connection& mine) override {
    EXPECT_EQ(side_.mine, nullptr);
    side_.mine = &mine;
    if (side_.when_opened) side_.when_opened(side_);
  }
  void received(bytes_view bytes) override {
    EXPECT_FALSE(side_.cause.has_value());
    EXPECT_FALSE(side_.peer_ended);
    side_.received += as_text(bytes);
    if (side_.when_received) side_.when_received(side_, bytes);
  }
  void peer_ended() override {
    EXPECT_FALSE(std::exchange(side_.peer_ended, true));
    if (side_.when_peer_ended) side_.when_peer_ended(side_);
  }
  void sent() override {
    ++side_.sent_calls;
    if (side_.when_sent) side_.when_sent(side_);
  }
  void closed(const error& cause) override {
    EXPECT_FALSE(side_.cause.has_value()) << "closed twice";
    side_.cause = cause;
    side_.mine = nullptr;
    if (side_.when_closed) side_.when_closed(side_);
  }

 private:
  side& side_;
};

class accepting_user final : public listener_user {
 public:
  using acceptor = std::function<answer(const socket_address& peer, const socket_address& local)>;
  explicit accepting_user(acceptor accept) : accept_(std::move(accept)) {}
  answer accepted(const socket_address& peer, const socket_address& local) override {
    return accept_(peer, local);
  }
  void failed(const error& cause) override {
    if (when_failed) when_failed(cause);
  }

  std::function<void(const error&)> when_failed;

 private:
  acceptor accept_;
};

class network_fixture : public engine_fixture {
 protected:
  void SetUp() override {
    engine_fixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    network_ = std::make_unique<socket_network>(*engine_, clock_);
  }

  // Runs `first` on the engine and on until finish().
  void run(task first) {
    const auto alarm = after(std::chrono::seconds(30), [this] {
      ADD_FAILURE() << "the test does not end";
      finish();
    });
    engine_->post(std::move(first));
    engine_->run();
    engine_->cancel(alarm);
  }

  void finish() {
    network_->close_all(make_error(error_code::closed, "the test is over"));
    engine_->stop();
  }

  executor::timer_id after(nanoseconds wait, task work) {
    return engine_->schedule_at(clock_.now() + wait, std::move(work));
  }

  static socket_address any_port() { return socket_address::parse("127.0.0.1:0").value(); }

  socket_address listen(const socket_address& where, accepting_user::acceptor accept,
                        const socket_options& options = {}) {
    auto made =
        network_->listen(where, std::make_unique<accepting_user>(std::move(accept)), options);
    CHECK(made.ok(), "listen", made.failure().message);
    return (*made)->address();
  }

  // One connection is expected.
  socket_address listen(const socket_address& where, side& server,
                        const socket_options& options = {}) {
    return listen(
        where,
        [this, &server](const socket_address&, const socket_address&) {
          return listener_user::answer{network_.get(), std::make_unique<side_user>(server)};
        },
        options);
  }

  void connect(const socket_address& where, side& client, const socket_options& options = {},
               nanoseconds wait_max = std::chrono::seconds(10)) {
    network_->connect(where, clock_.now() + wait_max, std::make_unique<side_user>(client), options);
  }

  // Ends the test when both ends are closed.
  void finish_after(side& left, side& right) {
    const auto note = [this, &left, &right](side&) {
      if (left.cause && right.cause) finish();
    };
    left.when_closed = note;
    right.when_closed = note;
  }

  std::unique_ptr<socket_network> network_;
};

}  // namespace ringlog::io
