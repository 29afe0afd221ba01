#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "io/socket_address.h"
#include "model/config_def.h"
#include "node/address.h"
#include "node/node.h"

namespace ringlog::client::remote {

// Who has the log of a directory open, as one client of that log sees it: the holder of the
// directory's lock, nobody else (design: the lifetime of an embedded log). Other processes reach it
// by the directory's socket. When nobody holds the lock this process becomes the owner, for as long
// as this object lives: the client then goes on over the socket, as before, now to its own process.
//
// Any thread.
class log_owner {
 public:
  // `settings` are the node's, should one be opened here.
  static result<std::shared_ptr<log_owner>> of(const node::log_address& address,
                                               model::config_map settings, const clock& time);

  struct place {
    io::socket_address socket;
    int process;
  };

  // Where the owner is to be reached now. It may not listen yet, or no more: the process at the
  // other end of the socket has to be the one that is named here. Opens the log when nobody has it
  // open, so it may take as long as a recovery.
  result<place> find();

  // What came of going there.
  void note_reached(int process);

  // error_code::locked when the holder of the lock is no process that shares the log: it has not
  // been reached for some time, and is not at work on what a ringlog process left.
  status check_sharing() const;

  // error_code::closed when the log was closed in this process, as its owner.
  status check_usable() const;

  // Who the owner is, and whether it is stopped; empty when nobody is known.
  std::string describe() const;

 private:
  log_owner(const node::log_address& address, model::config_map settings,
            node::directory_layout layout, const clock& time);

  const std::string address_;
  const model::config_map settings_;
  const node::directory_layout layout_;
  const clock& time_;

  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<node::node> own_;
  int process_ = 0;                      // that was named last
  std::optional<monotonic_time> since_;  // when it was named first, not having been reached
};

}  // namespace ringlog::client::remote
