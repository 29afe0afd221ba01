#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ringlog::server {

// One number that a client measured.
struct client_sample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // in order
  double value = 0;
  bool is_delta = false;  // what was added since the last push
};

// The numbers of OpenTelemetry's MetricsData v1, protobuf-encoded: gauges, sums, and the counts and
// sums of histograms and summaries. What else the message has is left out. error_code::corrupt for
// bytes that are none, or where there is more of anything than its limit.
result<std::vector<client_sample>> parse_otlp_metrics(bytes_view bytes);

}  // namespace ringlog::server

namespace ringlog::limits {

inline constexpr std::size_t telemetry_samples_max = 2'000;  // of one push
inline constexpr std::size_t telemetry_labels_max = 16;      // of one sample
inline constexpr std::size_t telemetry_name_bytes_max =
    256;  // of metrics and labels, and of values

}  // namespace ringlog::limits
