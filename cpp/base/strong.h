#pragma once

#include <fmt/format.h>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace ringlog {

// An integer with a meaning: two of different tags never mix silently. Differences of two values
// and distances added to one are plain integers of Rep.
template <typename Tag, std::integral Rep>
class strong {
 public:
  using rep = Rep;

  constexpr strong() = default;
  constexpr explicit strong(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }

  constexpr auto operator<=>(const strong&) const = default;

  constexpr strong& operator++() {
    ++value_;
    return *this;
  }
  constexpr strong& operator+=(Rep distance) {
    value_ = static_cast<Rep>(value_ + distance);
    return *this;
  }
  friend constexpr strong operator+(strong left, Rep distance) {
    return strong(static_cast<Rep>(left.value_ + distance));
  }
  friend constexpr strong operator-(strong left, Rep distance) {
    return strong(static_cast<Rep>(left.value_ - distance));
  }
  friend constexpr Rep operator-(strong left, strong right) {
    return static_cast<Rep>(left.value_ - right.value_);
  }

 private:
  Rep value_{};
};

template <typename Tag, typename Rep>
std::size_t hash_value(const strong<Tag, Rep>& value) {  // found by boost::hash
  return std::hash<Rep>{}(value.value());
}

}  // namespace ringlog

template <typename Tag, typename Rep>
struct std::hash<ringlog::strong<Tag, Rep>> {
  std::size_t operator()(const ringlog::strong<Tag, Rep>& value) const {
    return std::hash<Rep>{}(value.value());
  }
};

template <typename Tag, typename Rep>
struct fmt::formatter<ringlog::strong<Tag, Rep>> : fmt::formatter<Rep> {
  template <typename Context>
  auto format(const ringlog::strong<Tag, Rep>& value, Context& context) const {
    return fmt::formatter<Rep>::format(value.value(), context);
  }
};
