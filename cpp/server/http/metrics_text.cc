#include "server/http/metrics_text.h"

#include <fmt/format.h>

#include <iterator>

namespace ringlog::server {
namespace {

void add_escaped(std::string& target, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') target += '\\';
    if (c == '\n') {
      target += "\\n";
    } else {
      target += c;
    }
  }
}

}  // namespace

void metrics_text::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void metrics_text::sample(double value, const labels& of, std::string_view suffix) {
  if (samples_ >= limits::metrics_samples_max) {
    ++left_out_;
    return;
  }
  ++samples_;
  add(fmt::format("{}{}", name_, suffix), value, of);
}

void metrics_text::add(std::string_view name, double value, const labels& of) {
  text_ += name;
  char before = '{';
  for (const auto& [label, of_label] : of) {
    text_ += std::exchange(before, ',');
    text_ += label;
    text_ += "=\"";
    add_escaped(text_, of_label);
    text_ += '"';
  }
  if (!of.empty()) text_ += '}';
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

std::string metrics_text::finish() && {
  family("ringlog_metrics_left_out", "gauge", "Samples for which this page has no room.");
  add(name_, static_cast<double>(left_out_), {});
  return std::move(text_);
}

}  // namespace ringlog::server
