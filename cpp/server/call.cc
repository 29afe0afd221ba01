#include "server/call.h"

#include <algorithm>

#include "broker/client_quotas.h"

namespace ringlog::server {

void call_base::pause_client(milliseconds pause) {
  std::int64_t known = pause_ms_;
  while (pause.count() > known && !pause_ms_.compare_exchange_weak(known, pause.count())) {
  }
}

milliseconds call_base::pause_of_client() const {
  const milliseconds busy = core().quotas().charge(broker::quota_kind::busy_time, client(), 0);
  return std::max(busy, milliseconds(pause_ms_.load()));
}

}  // namespace ringlog::server
