#pragma once

#include <iosfwd>
#include <string>

#include "base/clock.h"
#include "io/file.h"

namespace ringlog::app {

struct check_options {
  bool json = false;     // one object in place of text
  bool verbose = false;  // a line per partition
  bool summary = false;  // of each partition its records, their bytes and their hash
  bool repair = false;   // print what would be repaired
  bool yes = false;      // and do it
};

// `ringlog check`: prints what is wrong in the directory that file:`path` names. The exit status:
// 0 nothing is wrong, 1 something is, 2 it could not be checked or repaired. After a repair the
// directory is checked again, and that tells the status.
int check(io::file_system& disk, const clock& time, const std::string& path,
          const check_options& options, std::ostream& out, std::ostream& errors);

}  // namespace ringlog::app
