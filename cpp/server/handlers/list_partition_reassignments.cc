#include "server/handlers/handlers.h"

namespace ringlog::server::handlers {

// With one node nothing ever moves.
void list_partition_reassignments(list_partition_reassignments_call call) {
  call->response.error_message.reset();
}

}  // namespace ringlog::server::handlers
