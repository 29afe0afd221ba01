#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "io/file.h"

namespace ringlog::io {

// A POSIX record lock (fcntl F_SETLK, F_WRLCK) on the whole of `path`, which is made when missing:
// what Java's FileChannel.tryLock takes, so that Kafka and we exclude each other.
//
// Such a lock belongs to the process and is lost when the process closes *any* descriptor of the
// file. So a process-wide registry by (device, inode) refuses a second lock before it opens the
// file; nothing else may open a lock file. A forked child does not inherit the lock, and what the
// registry says of its parent's locks does not bind it: it is told the parent's pid by the kernel.
//
// What is locked is what the path names when this returns: a file that others delete or replace
// between its opening and its locking is given up for the one that stands there then.
//
// Fails with error_code::locked, naming the holder's pid, when another process or this one has it;
// with error_code::unsupported on network file systems, whose locks and syncs cannot be relied on.
// Callable from any thread.
result<std::unique_ptr<file_lock>> take_record_lock(const std::string& path);

// The process that holds the lock of `path`, which may be this one; 0 when nobody does or there is
// no such file. error_code::locked when it is a process that cannot be seen from here (another
// container's or machine's). Callable from any thread.
result<int> find_lock_holder(const std::string& path);

}  // namespace ringlog::io
