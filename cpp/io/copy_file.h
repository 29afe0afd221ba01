#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/file.h"

namespace ringlog::io {

// Makes `target`, which is not there, with the first `bytes_max` bytes of `source`, or all that it
// has when they are fewer; both may share their blocks (FICLONE) where one file system that can do
// that holds both. Durable after success, but for the name. Blocks.
status copy_file(file_system& source_disk, const std::string& source, file_system& target_disk,
                 const std::string& target, std::uint64_t bytes_max = UINT64_MAX);

}  // namespace ringlog::io
