#include "log_port.h"

#include "model/record.h"

namespace ringlog::sim {

status read_records(log_port& log, const log_port::bounds& bounds, random_source& random,
                    std::vector<std::string>& values) {
  std::int64_t next = bounds.start;
  while (next < bounds.end) {
    const std::int64_t before = next;
    TRY_ASSIGN(const auto pieces,
               log.read(next, 1 + static_cast<std::int64_t>(random.below(100'000))));
    for (const shared_bytes& piece : pieces) {
      for (bytes_view left = piece.bytes; !left.empty();) {
        TRY_ASSIGN(const auto batch, model::parse_batch(left));
        if (!batch) return make_error(error_code::corrupt, "half a batch at {}", next);
        TRY(model::validate(*batch, model::validation_level::checksum));
        model::record_iterator records(*batch, batch->records());
        for (model::record_view record; records.next(record);) {
          if (record.offset.value() < next) continue;
          if (record.offset.value() > next) return make_error(error_code::corrupt, "a gap");
          values.push_back(to_string(*record.value));
          ++next;
        }
        TRY(records.outcome());
        left = left.subspan(batch->size_in_bytes());
      }
    }
    if (next == before) return make_error(error_code::corrupt, "nothing at {}", next);
  }
  return {};
}

}  // namespace ringlog::sim
