#pragma once

namespace ringlog::io {

// Descriptors that a forked child closes at once, before anything else runs there: sockets, whose
// connections and listeners it would keep open after the end of the process that they belong to,
// and rings, which do the same for what is under way in them. (Close-on-exec is about programs.)
// Callable from any thread.
void close_when_forked(int descriptor);

// Its end is near. False in a child that has closed it.
bool keep_when_forked(int descriptor);

}  // namespace ringlog::io
