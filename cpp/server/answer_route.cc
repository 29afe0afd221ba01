#include "server/answer_route.h"

#include <utility>

#include "server/client_connection.h"

namespace ringlog::server {

void answer_route::run(action what, task otherwise) {
  {
    const std::lock_guard lock(mutex_);
    if (home_ != nullptr && !(home_->on_own_thread() && target_->is_beginning())) {
      home_->post([self = shared_from_this(), what = std::move(what),
                   otherwise = std::move(otherwise)]() mutable {
        if (self->target_ != nullptr) {
          what(*self->target_);
        } else {
          otherwise();
        }
      });
      return;
    }
  }
  if (target_ != nullptr) {
    what(*target_);
  } else {
    otherwise();
  }
}

void answer_route::close() {
  const std::lock_guard lock(mutex_);
  home_ = nullptr;
  target_ = nullptr;
}

}  // namespace ringlog::server
