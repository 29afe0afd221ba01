#include "base/error.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringlog {
namespace {

error_code code_of_errno(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
      return error_code::not_found;
    case EEXIST:
      return error_code::already_exists;
    case EACCES:
    case EPERM:
    case EROFS:
      return error_code::permission_denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return error_code::no_space;
    case EINTR:
      return error_code::interrupted;
    case ENOSYS:
    case EOPNOTSUPP:
    case ENOLCK:
      return error_code::unsupported;
    case ENOMEM:
      return error_code::no_memory;
    default:
      return error_code::io_error;
  }
}

// What a person can do about it; empty when the error's own text says it all.
std::string_view remedy_of_errno(int errno_value) {
  switch (errno_value) {
    case EACCES:
    case EPERM:
      return "check its owner and permissions (ls -l) and the user that runs this program";
    case EROFS:
      return "mount the file system for writing or choose another directory";
    case ENOSPC:
      return "free space on this disk, or shorten the retention of topics";
    case EDQUOT:
      return "free space or raise the disk quota of this user";
    case EFBIG:
      return "raise the limit of file sizes (ulimit -f)";
    case EMFILE:
      return "raise the limit of open files of this process (ulimit -n)";
    case ENFILE:
      return "raise the system's limit of open files (sysctl fs.file-max)";
    case EIO:
      return "the disk failed: see the kernel's messages (dmesg) and keep a copy of the data";
    case ENOTDIR:
      return "a part of the path is a file, not a directory";
    case ENAMETOOLONG:
      return "choose a shorter path";
    case ENOLCK:
      return "this file system has no record locks: choose a local disk";
    case ENOMEM:
      return "the system is out of memory";
    default:
      return "";
  }
}

constexpr std::array names = {
    "io_error",
    "no_space",
    "permission_denied",
    "not_found",
    "already_exists",
    "locked",
    "unsupported",
    "foreign_directory",
    "storage_failed",
    "corrupt",
    "invalid_argument",
    "invalid_record",
    "invalid_timestamp",
    "invalid_topic",
    "invalid_config",
    "invalid_partitions",
    "invalid_replication_factor",
    "invalid_replica_assignment",
    "invalid_required_acks",
    "message_too_large",
    "record_list_too_large",
    "unsupported_compression",
    "policy_violation",
    "offset_out_of_range",
    "unknown_topic_or_partition",
    "unknown_topic_id",
    "topic_already_exists",
    "invalid_update_version",
    "not_leader",
    "fenced_leader_epoch",
    "unknown_leader_epoch",
    "out_of_order_sequence",
    "duplicate_sequence",
    "invalid_producer_epoch",
    "unknown_producer_id",
    "invalid_txn_state",
    "concurrent_transactions",
    "transactional_id_authorization",
    "coordinator_loading",
    "coordinator_not_available",
    "not_coordinator",
    "illegal_generation",
    "unknown_member_id",
    "member_id_required",
    "inconsistent_group_protocol",
    "invalid_group_id",
    "invalid_session_timeout",
    "rebalance_in_progress",
    "fenced_instance_id",
    "group_max_size_reached",
    "non_empty_group",
    "group_id_not_found",
    "group_subscribed_to_topic",
    "offset_metadata_too_large",
    "unstable_offset_commit",
    "timed_out",
    "no_memory",
    "interrupted",
    "closed",
    "internal",
};
static_assert(names.size() == static_cast<std::size_t>(error_code::internal) + 1);

}  // namespace

std::string_view name_of(error_code code) { return names[static_cast<std::size_t>(code)]; }

error error_from_errno(int errno_value, std::string_view what, std::string_view path) {
  const std::string_view remedy = remedy_of_errno(errno_value);
  return make_error(code_of_errno(errno_value), "cannot {} {}: {}{}{}", what, path,
                    std::strerror(errno_value), remedy.empty() ? "" : "; ", remedy);
}

}  // namespace ringlog
