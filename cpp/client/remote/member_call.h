#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client/remote/remote_call.h"

namespace ringlog::client::remote {

// What a member asks its coordinator. Without a retry: the member decides by itself what comes
// next.
template <typename Request, typename Response, typename T>
call_plan<Request, Response, T> member_plan(const std::string& group, std::string what,
                                            route::lane over = route::lane::control) {
  call_plan<Request, Response, T> plan;
  plan.by = route::to_coordinator(group, over);
  plan.what = std::move(what) + " of group " + group;
  plan.is_retried = false;
  plan.is_waited_for = false;
  return plan;
}

inline std::optional<std::string_view> view_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return *text;
}

}  // namespace ringlog::client::remote
