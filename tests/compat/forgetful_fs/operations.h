#pragma once

#define FUSE_USE_VERSION 31
#include <fuse3/fuse_lowlevel.h>

#include "tree.h"

namespace forgetful {

// What the kernel's requests act on; userdata of the session.
struct file_system {
  tree files;
  bool refuse_durable_writes = false;  // O_DSYNC writes fail with EOPNOTSUPP, as on old FUSE
  bool ignore_syncs = false;           // success, and nothing done: the lie that must be noticed
};

// The answers to the kernel, libfuse's low-level interface.
const fuse_lowlevel_ops& operations();

}  // namespace forgetful
