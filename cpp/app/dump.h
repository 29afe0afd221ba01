#pragma once

#include <string>

#include "app/entry_writer.h"
#include "base/result.h"
#include "io/file.h"

namespace ringlog::app {

struct dump_options {
  bool records = false;  // keys, values and headers of every record, too
};

// `ringlog dump`: prints what a file of a Kafka log directory holds, or all the files of a
// directory that it knows, in the order of their names. Files are only read and nothing is
// locked. A file that is damaged is printed as far as it goes, with a note; the first such failure
// is the outcome.
status dump(io::file_system& disk, const std::string& path, const dump_options& options,
            entry_writer& target);

}  // namespace ringlog::app
