#pragma once

#include <cstdint>
#include <string>

namespace ringlog::server {

// Where clients are told to find this broker.
struct advertised_address {
  std::string host;        // a name or a numeric address; empty: the one by which the client came
  std::uint16_t port = 0;  // 0: the listener's
};

}  // namespace ringlog::server
