#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace ringlog {

// A move-only callable: std::function's use without its demand that what it holds can be copied
// (std::move_only_function is C++23). Signature as in callback<void(int)>.
template <typename Signature>
class callback;

template <typename Result, typename... Arguments>
class callback<Result(Arguments...)> {
 public:
  callback() = default;
  callback(std::nullptr_t) {}

  template <typename Function>
    requires(!std::is_same_v<std::remove_cvref_t<Function>, callback> &&
             std::is_invocable_r_v<Result, Function&, Arguments...>)
  callback(Function&& function)
      : holder_(std::make_unique<holder<std::remove_cvref_t<Function>>>(
            std::forward<Function>(function))) {}

  explicit operator bool() const { return holder_ != nullptr; }

  Result operator()(Arguments... arguments) {
    return holder_->call(std::forward<Arguments>(arguments)...);
  }

 private:
  struct base {
    virtual ~base() = default;
    virtual Result call(Arguments... arguments) = 0;
  };
  template <typename Function>
  struct holder final : base {
    explicit holder(Function&& held) : function(std::move(held)) {}
    explicit holder(const Function& held) : function(held) {}
    Result call(Arguments... arguments) override {
      return function(std::forward<Arguments>(arguments)...);
    }
    Function function;
  };

  std::unique_ptr<base> holder_;
};

using task = callback<void()>;

}  // namespace ringlog
