#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"

namespace ringlog::io {

// Makes a directory, with its parents, whose names are durable after success; no failure when it is
// there, which says nothing of its name. Blocks.
status make_durably(file_system& disk, const std::string& path);

}  // namespace ringlog::io
