#pragma once

#include <string>

#include "app/entry_writer.h"
#include "base/result.h"
#include "io/file.h"

namespace ringlog::app {

// The batches of a segment or of a KRaft snapshot, and with `records` what is in them.
status dump_batches(io::file_system& disk, const std::string& path, bool records,
                    entry_writer& target);

}  // namespace ringlog::app
