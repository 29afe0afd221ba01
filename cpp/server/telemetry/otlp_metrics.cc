#include "server/telemetry/otlp_metrics.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <optional>

namespace ringlog::server {
namespace {

error damaged() { return error{error_code::corrupt, "these are no OpenTelemetry metrics"}; }

// The wire types of protobuf.
enum class wire_type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct field {
  std::uint32_t number = 0;
  wire_type type = wire_type::varint;
  std::uint64_t number_value = 0;  // varint and fixed64
  bytes_view bytes;

  result<std::string> text() const {
    if (bytes.size() > limits::telemetry_name_bytes_max) return damaged();
    return std::string(as_text(bytes));
  }
};

// Takes fields off a message, one after another.
class field_reader {
 public:
  explicit field_reader(bytes_view message) : rest_(message) {}

  bool is_done() const { return rest_.empty(); }

  result<field> next() {
    TRY_ASSIGN(const std::uint64_t tag, varint());
    field found;
    found.number = static_cast<std::uint32_t>(tag >> 3);
    found.type = static_cast<wire_type>(tag & 7);
    if (found.number == 0) return damaged();
    switch (found.type) {
      case wire_type::varint: {
        TRY_ASSIGN(found.number_value, varint());
        return found;
      }
      case wire_type::fixed64:
        return fixed(found, sizeof(std::uint64_t));
      case wire_type::fixed32:
        return fixed(found, sizeof(std::uint32_t));
      case wire_type::bytes: {
        TRY_ASSIGN(const std::uint64_t size, varint());
        if (size > rest_.size()) return damaged();
        found.bytes = take(static_cast<std::size_t>(size));
        return found;
      }
    }
    return damaged();
  }

 private:
  bytes_view take(std::size_t size) {
    const bytes_view taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  result<field> fixed(field found, std::size_t size) {
    if (size > rest_.size()) return damaged();
    const bytes_view taken = take(size);
    for (std::size_t i = 0; i < size; ++i) {
      found.number_value |= std::to_integer<std::uint64_t>(taken[i]) << (8 * i);
    }
    return found;
  }

  result<std::uint64_t> varint() {
    constexpr int bits = 64;
    std::uint64_t value = 0;
    for (int shift = 0; shift < bits && !rest_.empty(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(take(1)[0]);
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return damaged();
  }

  bytes_view rest_;
};

template <typename Visit>
status for_each_field(bytes_view message, Visit visit) {
  field_reader fields(message);
  while (!fields.is_done()) {
    TRY_ASSIGN(const field next, fields.next());
    TRY(visit(next));
  }
  return {};
}

// The fields of that number that are messages themselves.
template <typename Visit>
status for_each_message(bytes_view message, std::uint32_t number, Visit visit) {
  return for_each_field(message, [&](const field& one) -> status {
    return one.number == number && one.type == wire_type::bytes ? visit(one.bytes) : status();
  });
}

// AnyValue: of arrays, maps and bytes nothing is shown.
result<std::string> value_of(bytes_view message) {
  std::string text;
  TRY(for_each_field(message, [&](const field& one) -> status {
    if (one.number == 1 && one.type == wire_type::bytes) {
      TRY_ASSIGN(text, one.text());
    }
    if (one.number == 2) text = one.number_value != 0 ? "true" : "false";
    if (one.number == 3) text = fmt::format("{}", static_cast<std::int64_t>(one.number_value));
    if (one.number == 4) text = fmt::format("{}", std::bit_cast<double>(one.number_value));
    return {};
  }));
  return text;
}

struct data_point {
  std::vector<std::pair<std::string, std::string>> labels;
  std::optional<double> number;
  std::optional<double> count;
  std::optional<double> sum;
};

// Where each kind of data point has its fields.
struct point_layout {
  std::uint32_t attributes;
  std::uint32_t as_double = 0;
  std::uint32_t as_int = 0;
  std::uint32_t count = 0;
  std::uint32_t sum = 0;
};
constexpr point_layout number_point{7, 4, 6, 0, 0};
constexpr point_layout histogram_point{9, 0, 0, 4, 5};
constexpr point_layout exponential_point{1, 0, 0, 4, 5};
constexpr point_layout summary_point{7, 0, 0, 4, 5};

status read_label(bytes_view message, data_point& target) {
  std::pair<std::string, std::string> label;
  TRY(for_each_field(message, [&](const field& one) -> status {
    if (one.type != wire_type::bytes) return {};
    if (one.number == 1) {
      TRY_ASSIGN(label.first, one.text());
    } else if (one.number == 2) {
      TRY_ASSIGN(label.second, value_of(one.bytes));
    }
    return {};
  }));
  if (target.labels.size() >= limits::telemetry_labels_max) return damaged();
  target.labels.push_back(std::move(label));
  return {};
}

result<data_point> read_point(bytes_view message, const point_layout& layout) {
  data_point point;
  TRY(for_each_field(message, [&](const field& one) -> status {
    if (one.number == layout.attributes && one.type == wire_type::bytes) {
      return read_label(one.bytes, point);
    }
    if (one.type != wire_type::fixed64) return {};
    const auto as_double = std::bit_cast<double>(one.number_value);
    if (one.number == layout.as_double) point.number = as_double;
    if (one.number == layout.as_int) {
      point.number = static_cast<double>(static_cast<std::int64_t>(one.number_value));
    }
    if (one.number == layout.count) point.count = static_cast<double>(one.number_value);
    if (one.number == layout.sum) point.sum = as_double;
    return {};
  }));
  std::ranges::sort(point.labels);
  return point;
}

class metrics_reader {
 public:
  status read(bytes_view data) {
    return for_each_message(data, 1, [&](bytes_view of_resource) {
      return for_each_message(of_resource, 2, [&](bytes_view of_scope) {
        return for_each_message(of_scope, 2,
                                [&](bytes_view metric) { return read_metric(metric); });
      });
    });
  }

  std::vector<client_sample> samples;

 private:
  status read_metric(bytes_view metric) {
    std::string name;
    TRY(for_each_field(metric, [&](const field& one) -> status {
      if (one.number != 1 || one.type != wire_type::bytes) return {};
      TRY_ASSIGN(name, one.text());
      return {};
    }));
    return for_each_field(metric, [&](const field& one) -> status {
      if (one.type != wire_type::bytes) return {};
      switch (one.number) {
        case 5:  // gauge
        case 7:  // sum
          return read_points(name, one.bytes, number_point);
        case 9:
          return read_points(name, one.bytes, histogram_point);
        case 10:
          return read_points(name, one.bytes, exponential_point);
        case 11:
          return read_points(name, one.bytes, summary_point);
        default:
          return {};
      }
    });
  }

  status read_points(const std::string& name, bytes_view data, const point_layout& layout) {
    constexpr std::uint64_t delta = 1;
    bool is_delta = false;
    TRY(for_each_field(data, [&](const field& one) -> status {
      if (one.number == 2 && one.type == wire_type::varint) is_delta = one.number_value == delta;
      return {};
    }));
    return for_each_message(data, 1, [&](bytes_view message) -> status {
      TRY_ASSIGN(const data_point point, read_point(message, layout));
      if (point.number) TRY(add(name, point, *point.number, is_delta));
      if (point.count) TRY(add(name + ".count", point, *point.count, is_delta));
      if (point.sum) TRY(add(name + ".sum", point, *point.sum, is_delta));
      return {};
    });
  }

  status add(std::string name, const data_point& point, double value, bool is_delta) {
    if (samples.size() >= limits::telemetry_samples_max) {
      return make_error(error_code::corrupt, "more than {} metrics in one push",
                        limits::telemetry_samples_max);
    }
    samples.push_back({std::move(name), point.labels, value, is_delta});
    return {};
  }
};

}  // namespace

result<std::vector<client_sample>> parse_otlp_metrics(bytes_view bytes) {
  metrics_reader reader;
  TRY(reader.read(bytes));
  return std::move(reader.samples);
}

}  // namespace ringlog::server
