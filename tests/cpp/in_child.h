#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

namespace ringlog {

// Runs `body` in a forked child; its answer (0 to 255).
template <typename Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int outcome = 0;
  CHECK(::waitpid(child, &outcome, 0) == child, "waitpid");
  CHECK(WIFEXITED(outcome), "the child died", outcome);
  return WEXITSTATUS(outcome);
}

}  // namespace ringlog
