// forgetful_fs: a file system in memory that a power cut can be played on.
//
// Usage: forgetful_fs [--refuse-durable-writes | --ignore-syncs] DIRECTORY
//
// Mounts itself on the directory and serves it in the foreground until it is unmounted, told to end
// (SIGTERM) or its parent dies. tree.h says what is durable. Extended attributes of the root are
// its switches: setting `user.forget` to "all" or to a seed plays the power cut, `user.events`
// tells what happened so far.

#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <string_view>

#include "operations.h"

namespace {

int serve(fuse_session* session, const char* directory) {
  if (fuse_set_signal_handlers(session) != 0) return 1;
  int outcome = 1;
  if (fuse_session_mount(session, directory) == 0) {
    outcome = fuse_session_loop(session) < 0 ? 1 : 0;
    fuse_session_unmount(session);
  }
  fuse_remove_signal_handlers(session);
  return outcome;
}

}  // namespace

int main(int count, char** arguments) {
  forgetful::file_system held;
  const std::string_view option = count == 3 ? arguments[1] : "";
  held.refuse_durable_writes = option == "--refuse-durable-writes";
  held.ignore_syncs = option == "--ignore-syncs";
  if (count != 2 && !held.refuse_durable_writes && !held.ignore_syncs) {
    std::fprintf(stderr, "usage: %s [--refuse-durable-writes | --ignore-syncs] DIRECTORY\n",
                 arguments[0]);
    return 2;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const char* options[] = {arguments[0], "-ofsname=forgetful,default_permissions"};
  fuse_args mount_options = FUSE_ARGS_INIT(2, const_cast<char**>(options));
  const fuse_lowlevel_ops& operations = forgetful::operations();
  fuse_session* session = fuse_session_new(&mount_options, &operations, sizeof(operations), &held);
  if (session == nullptr) return 1;
  const int outcome = serve(session, arguments[count - 1]);
  fuse_session_destroy(session);
  fuse_opt_free_args(&mount_options);
  return outcome;
}
