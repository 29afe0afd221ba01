#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace ringlog::server {

// Makes what a client might send that is broken or means harm: requests that clients of Kafka were
// recorded to send (where there is golden data) and random ones of every API and version, most of
// them with something wrong.
class frame_maker {
 public:
  explicit frame_maker(random_source& random);

  // With its size in front, which may be a lie.
  byte_buffer next();

 private:
  byte_buffer sound_request();
  void damage(byte_buffer& request);
  std::size_t place_in(const byte_buffer& bytes) { return random_.below(bytes.size()); }

  random_source& random_;
  std::vector<byte_buffer> recorded_;
};

}  // namespace ringlog::server
