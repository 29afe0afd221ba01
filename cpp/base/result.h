#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace ringlog {

// A value or the reason why there is none. Asking for the one that is not there is a CHECK.
template <typename T>
class [[nodiscard]] result {
 public:
  using value_type = T;

  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    check_ok();
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    check_ok();
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    check_ok();
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  ringlog::error& failure() {
    CHECK(!ok(), "failure() of a result that holds a value");
    return *std::get_if<1>(&state_);
  }
  const ringlog::error& failure() const {
    CHECK(!ok(), "failure() of a result that holds a value");
    return *std::get_if<1>(&state_);
  }
  error_code code() const { return failure().code; }

 private:
  void check_ok() const { CHECK(ok(), "value() of a failed result:", failure().message); }

  std::variant<T, ringlog::error> state_;
};

// Success without a value, or the reason of the failure.
template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() = default;
  result(error failure) : failure_(std::move(failure)) {}

  bool ok() const { return !failure_.has_value(); }
  explicit operator bool() const { return ok(); }

  ringlog::error& failure() {
    CHECK(!ok(), "failure() of a success");
    return *failure_;
  }
  const ringlog::error& failure() const {
    CHECK(!ok(), "failure() of a success");
    return *failure_;
  }
  error_code code() const { return failure().code; }

 private:
  std::optional<ringlog::error> failure_;
};

using status = result<void>;

}  // namespace ringlog

#define RINGLOG_JOIN_(a, b) a##b
#define RINGLOG_JOIN(a, b) RINGLOG_JOIN_(a, b)

// TRY(expression): returns its failure from the enclosing function, if it failed.
#define TRY(...)                                                  \
  do {                                                            \
    auto try_result = (__VA_ARGS__);                              \
    if (!try_result.ok()) return std::move(try_result.failure()); \
  } while (false)

// TRY_ASSIGN(auto name, expression): the value, or returns the failure.
#define TRY_ASSIGN(target, ...) \
  TRY_ASSIGN_(RINGLOG_JOIN(try_result_, __LINE__), target, __VA_ARGS__)
#define TRY_ASSIGN_(temporary, target, ...)                   \
  auto temporary = (__VA_ARGS__);                             \
  if (!temporary.ok()) return std::move(temporary.failure()); \
  target = std::move(temporary).value()
