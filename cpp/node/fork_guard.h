#pragma once

#include <cstdint>

namespace ringlog::node {

// How many forks lie between this process and the first one that asked: differs in a forked child
// from what its parent remembers. One relaxed load.
std::uint32_t fork_generation();

}  // namespace ringlog::node
