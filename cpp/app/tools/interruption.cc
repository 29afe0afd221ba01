#include "app/tools/interruption.h"

#include <signal.h>

namespace ringlog::app {
namespace {

volatile sig_atomic_t interrupted = 0;

}  // namespace

void catch_interruptions() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

callback<status()>& until_interrupted() {
  static callback<status()> check = []() -> status {
    if (interrupted == 0) return {};
    return make_error(error_code::interrupted, "interrupted");
  };
  return check;
}

bool was_interrupted() { return interrupted != 0; }

}  // namespace ringlog::app
