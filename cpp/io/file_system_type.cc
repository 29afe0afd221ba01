#include "io/file_system_type.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "io/owned_descriptor.h"

namespace ringlog::io {
namespace {

// From linux/magic.h where it has them, else from the file system's own sources.
constexpr std::pair<std::uint32_t, std::string_view> network_types[] = {
    {0x00006969, "NFS"},  {0x0000517b, "SMB"},  {0xff534d42, "CIFS"},    {0xfe534d42, "SMB2"},
    {0x01021997, "9p"},   {0x00c36400, "Ceph"}, {0x5346414f, "OpenAFS"}, {0x6b414653, "AFS"},
    {0x73757245, "Coda"}, {0x0000564c, "NCP"},  {0x0bd00bd0, "Lustre"},  {0x19830326, "BeeGFS"},
    {0x47504653, "GPFS"},
};

constexpr std::uint32_t whole_sync_types[] = {
    0x0000ef53,  // ext2, ext3, ext4
    0x58465342,  // xfs
    0x9123683e,  // btrfs
    0xf2f52010,  // f2fs
    0x01021994,  // tmpfs, which has nothing to lose to a disk
};

}  // namespace

std::optional<std::string_view> network_file_system(std::uint32_t type) {
  for (const auto& [number, name] : network_types) {
    if (number == type) return name;
  }
  return std::nullopt;
}

bool syncs_as_a_whole(std::uint32_t type) {
  return std::ranges::find(whole_sync_types, type) != std::end(whole_sync_types);
}

result<std::uint32_t> file_system_type(const std::string& path) {
  struct statfs about {};
  if (retry_interrupted([&] { return ::statfs(path.c_str(), &about); }) != 0) {
    return error_from_errno(errno, "ask for the file system of", path);
  }
  return static_cast<std::uint32_t>(about.f_type);
}

status refuse_network_file_system(const std::string& directory) {
  TRY_ASSIGN(const std::uint32_t type, file_system_type(directory));
  const auto name = network_file_system(type);
  if (!name) return {};
  return make_error(error_code::unsupported,
                    "{} is on a network file system ({}), which loses locks and synced data when "
                    "the connection breaks: choose a directory on a local disk",
                    directory, *name);
}

}  // namespace ringlog::io
