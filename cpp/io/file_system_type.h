#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// What statfs(2) says a file system is (f_type), and what follows from it for us.
namespace ringlog::io {

// The name of a network or cluster file system; none for a local one. FUSE counts as local: most
// of what is behind it is, and its daemon answers for it.
std::optional<std::string_view> network_file_system(std::uint32_t type);

// Whether one syncfs(2) makes everything on it durable and reports what write-back lost. Not so on
// FUSE (the kernel does not tell the daemon) and overlayfs (which hides errors of the file system
// below).
bool syncs_as_a_whole(std::uint32_t type);

// Of the file system that holds `path`, which must be there.
result<std::uint32_t> file_system_type(const std::string& path);

// error_code::unsupported, and what to do, when `directory` is on a network file system.
status refuse_network_file_system(const std::string& directory);

}  // namespace ringlog::io
