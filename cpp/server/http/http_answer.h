#pragma once

#include <string>

#include "base/task.h"

namespace ringlog::server {

struct http_answer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string content;
};

// Makes it on the endpoint's own thread, where it keeps nobody else waiting.
using http_writer = callback<http_answer()>;

}  // namespace ringlog::server
