#include "broker/group/topic_expression.h"

#include <re2/re2.h>

#include "broker/types.h"

namespace ringlog::broker {

namespace {
constexpr std::int64_t compiled_bytes_max = 1024 * 1024;
}  // namespace

result<topic_expression> topic_expression::parse(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(compiled_bytes_max);
  auto compiled = std::make_shared<const re2::RE2>(text, options);
  if (!compiled->ok()) {
    return make_error(consumer_failures::invalid_regular_expression,
                      "SubscribedTopicRegex `{}` is not a valid regular expression: {}.", text,
                      compiled->error());
  }
  return topic_expression(std::move(compiled));
}

bool topic_expression::matches(std::string_view topic) const {
  return re2::RE2::FullMatch(re2::StringPiece(topic.data(), topic.size()), *compiled_);
}

}  // namespace ringlog::broker
