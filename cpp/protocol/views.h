#pragma once

#include <string_view>

#include "base/bytes.h"

namespace ringlog::protocol {

// Bytes in a message that owns none: a view of the frame that the message was read from, or of
// whatever its maker keeps alive until it is written. Compared by what they are.
struct bytes_ref : bytes_view {
  using bytes_view::bytes_view;
  bytes_ref() = default;
  bytes_ref(bytes_view view) : bytes_view(view) {}  // NOLINT: a view is one

  friend bool operator==(bytes_ref left, bytes_ref right) { return equal(left, right); }
};

// The same for record batches. JSON has their size only.
struct records_ref : bytes_ref {
  using bytes_ref::bytes_ref;
  records_ref() = default;
  records_ref(bytes_view view) : bytes_ref(view) {}  // NOLINT: a view is one
};

}  // namespace ringlog::protocol
