#pragma once

#include <memory>
#include <string>

#include "io/file.h"
#include "io/socket_network.h"
#include "node/node.h"
#include "node/serving.h"

namespace ringlog::node {

// The way into an open log for other processes of this machine: Kafka's protocol on a Unix socket
// in its directory. Who may write to the socket's file may come in: its maker, as a rule. Until the
// first of them comes it is a descriptor that the node's engine watches; then a network thread is
// made for them.
//
// For the owner alone, that is who holds the directory's lock: opened after it was taken, closed
// before it is let go. Used by one thread while the engine runs, destroyed when it has ended.
class owner_socket {
 public:
  // All of them outlive it.
  owner_socket(node& shared, io::loop& engine, io::file_system& disk, std::string path);
  ~owner_socket();

  // Takes the place of whatever is at the path. Where that fails nobody comes in.
  status open();

  // Removes the file, lets requests under way end for a moment, and closes all connections. Once.
  // timed_out when the engine does not answer in `wait_max`.
  status close(milliseconds wait_max);

 private:
  class entrance;

  status on_engine(milliseconds wait_max, callback<status()> work);
  status start_serving();

  node& node_;
  io::loop& engine_;
  io::file_system& disk_;
  const std::string path_;
  bool is_open_ = false;
  io::socket_network network_;                      // the engine's, for the listener only
  std::unique_ptr<serving> serving_;                // since the first connection
  std::unique_ptr<io::listener_user> connections_;  // likewise: who takes them
};

}  // namespace ringlog::node
