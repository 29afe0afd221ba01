#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void delete_records(delete_records_call call) {
  pair_up(call->request.topics, call->response.topics, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition_index = asked.partition_index;
      target.low_watermark = no_offset.value();
      target.error_code = not_answered;
      call->core().delete_records(make_partition(topic.name, asked.partition_index),
                                  offset_t(asked.offset), [call, &target](const auto& start) {
                                    target.error_code = code_of(start);
                                    if (start.ok()) target.low_watermark = start->value();
                                  });
    });
  });
}

}  // namespace ringlog::server::handlers
