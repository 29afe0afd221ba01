#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace ringlog::broker {

// A regular expression of topic names as a client sends it (KIP-848, syntax of RE2): matched in
// time linear in the name. Immutable.
class topic_expression {
 public:
  // Fails with invalid_regular_expression.
  static result<topic_expression> parse(const std::string& text);

  // The whole name.
  bool matches(std::string_view topic) const;

 private:
  explicit topic_expression(std::shared_ptr<const re2::RE2> compiled)
      : compiled_(std::move(compiled)) {}

  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace ringlog::broker
