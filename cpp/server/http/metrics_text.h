#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringlog::server {

// Prometheus' text format, version 0.0.4: families of samples, one after another.
class metrics_text {
 public:
  using labels = std::vector<std::pair<std::string_view, std::string_view>>;

  // Begins a family. Type: "counter", "gauge" or "summary".
  void family(std::string_view name, std::string_view type, std::string_view help);

  // Of the last family; the suffix is put behind its name. Beyond limits::metrics_samples_max
  // samples nothing is added.
  void sample(double value, const labels& of = {}, std::string_view suffix = "");

  // With a sample that says how many were left out.
  std::string finish() &&;

 private:
  void add(std::string_view name, double value, const labels& of);

  std::string text_;
  std::string name_;
  std::size_t samples_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace ringlog::server

namespace ringlog::limits {

// Of one page: about 100 bytes each.
inline constexpr std::size_t metrics_samples_max = 200'000;

}  // namespace ringlog::limits
