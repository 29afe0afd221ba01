#include <gtest/gtest.h>

#include <algorithm>

#include "io/aligned_buffer.h"
#include "io/memory_file_system.h"
#include "io/posix_file_system.h"
#include "io/sim/disk.h"
#include "io/sim/world.h"
#include "io/temporary_directory.h"

namespace ringlog::io {
namespace {

enum class twin { posix, memory, simulation };

// What io/file.h promises, of each file system.
class FileSystemTest : public testing::TestWithParam<twin> {
 protected:
  FileSystemTest() {
    switch (GetParam()) {
      case twin::posix:
        base_ = directory_.path();
        held_ = std::make_unique<posix_file_system>();
        break;
      case twin::memory:
        held_ = std::make_unique<memory_file_system>();
        break;
      case twin::simulation:
        held_ = std::make_unique<sim::disk>(world_);
        break;
    }
    EXPECT_TRUE(held_->make_directories(base_).ok());
  }

  std::string path(const std::string& name) const { return base_ + "/" + name; }
  std::string text_of(const std::string& name) {
    return to_string(read_file(*held_, path(name), 1'000'000).value());
  }

  temporary_directory directory_;
  sim::world world_{1};
  std::string base_ = "/base";
  std::unique_ptr<file_system> held_;
  file_system& disk() { return *held_; }
};

TEST_P(FileSystemTest, OpenModes) {
  const std::string name = path("a");
  EXPECT_EQ(disk().open(name, open_mode::read).code(), error_code::not_found);
  EXPECT_EQ(disk().open(name, open_mode::read_write).code(), error_code::not_found);
  EXPECT_EQ(disk().open(path("b/c"), open_mode::create).code(), error_code::not_found);
  ASSERT_TRUE(disk().open(name, open_mode::create_new).ok());
  EXPECT_EQ(disk().open(name, open_mode::create_new).code(), error_code::already_exists);
  EXPECT_EQ(disk().open(name + "/c", open_mode::create).code(), error_code::not_found);
  const auto opened = disk().open(name, open_mode::create).value();
  EXPECT_EQ(opened->path(), name);
  const auto read_only = disk().open(name, open_mode::read).value();
  EXPECT_FALSE(read_only->write_at(0, as_bytes("x")).ok());
  EXPECT_FALSE(disk().open(base_, open_mode::read_write).ok());
}

TEST(MemoryFileSystem, StandsBeforeAnotherDisk) {
  temporary_directory directory;
  posix_file_system below;
  const std::string top = directory.path();
  const auto put = [](file_system& disk, const std::string& path, const std::string& content) {
    const auto opened = disk.open(path, open_mode::create).value();
    EXPECT_TRUE(opened->write_at(0, as_bytes(content)).ok());
  };
  const auto text = [](file_system& disk, const std::string& path) {
    return to_string(read_file(disk, path, 1'000'000).value());
  };
  const std::string long_text = std::string(20'000, 'a') + std::string(20'000, 'b');
  ASSERT_TRUE(below.make_directories(top + "/d").ok());
  put(below, top + "/d/long", long_text);
  put(below, top + "/d/moved", "moved");
  put(below, top + "/gone", "gone");
  const auto lock = below.lock(top + "/lock").value();

  memory_file_system disk;
  ASSERT_TRUE(disk.take_in(below, top).ok());
  ASSERT_TRUE(disk.take_in(below, top + "/none").ok());
  EXPECT_FALSE(disk.exists(top + "/none").value());
  EXPECT_EQ(text(disk, top + "/d/long"), long_text);
  {
    const auto opened = disk.open(top + "/d/long", open_mode::read_write).value();
    ASSERT_TRUE(opened->write_at(19'999, as_bytes("xyz")).ok());
    std::string expected = long_text;
    expected.replace(19'999, 3, "xyz");
    EXPECT_EQ(text(disk, top + "/d/long"), expected);
    ASSERT_TRUE(opened->resize(30'000).ok());
    ASSERT_TRUE(opened->resize(40'000).ok());  // what was cut is zero, not what is below
    expected.replace(30'000, 10'000, std::string(10'000, '\0'));
    EXPECT_EQ(text(disk, top + "/d/long"), expected);
  }
  ASSERT_TRUE(disk.rename(top + "/d", top + "/e").ok());
  EXPECT_EQ(text(disk, top + "/e/moved"), "moved");
  ASSERT_TRUE(disk.remove(top + "/gone").ok());
  put(disk, top + "/new", "new");
  EXPECT_TRUE(disk.lock(top + "/lock").ok());

  EXPECT_EQ(text(below, top + "/d/long"), long_text);
  EXPECT_EQ(text(below, top + "/gone"), "gone");
  EXPECT_FALSE(below.exists(top + "/new").value());
}

TEST_P(FileSystemTest, ReadWriteResize) {
  const auto opened = disk().open(path("a"), open_mode::create).value();
  ASSERT_TRUE(opened->write_at(5, as_bytes("abc")).ok());
  EXPECT_EQ(opened->size().value(), 8u);
  ASSERT_TRUE(opened->reserve(100'000).ok());
  EXPECT_EQ(opened->size().value(), 8u);
  ASSERT_TRUE(opened->resize(6).ok());
  ASSERT_TRUE(opened->resize(9).ok());  // what was cut is zero again
  EXPECT_EQ(text_of("a"), std::string("\0\0\0\0\0a\0\0\0", 9));
  EXPECT_EQ(read_file(disk(), path("a"), 8).code(), error_code::corrupt);
  byte_buffer target(4);
  EXPECT_EQ(opened->read_at(7, target).value(), 2u);
  EXPECT_EQ(opened->read_at(9, target).value(), 0u);
  ASSERT_TRUE(opened->sync().ok());
  // Over chunks, with a hole.
  const std::string large(300'000, 'l');
  ASSERT_TRUE(opened->write_at(200'000, as_bytes(large)).ok());
  const std::string all = text_of("a");
  EXPECT_EQ(all.size(), 500'000u);
  EXPECT_EQ(all.substr(200'000), large);
  EXPECT_EQ(all.substr(9, 199'991), std::string(199'991, '\0'));
}

TEST_P(FileSystemTest, NamesAndDirectories) {
  ASSERT_TRUE(disk().make_directories(path("a/b/c")).ok());
  ASSERT_TRUE(disk().make_directories(path("a/b/c")).ok());
  ASSERT_TRUE(replace_file(disk(), path("a/b/c/z"), as_bytes("first, longer")).ok());
  ASSERT_TRUE(replace_file(disk(), path("a/b/c/z"), as_bytes("second")).ok());
  ASSERT_TRUE(disk().make_directories(path("a/b/c/y")).ok());
  EXPECT_EQ(text_of("a/b/c/z"), "second");
  const auto entries = disk().list(path("a/b/c")).value();
  ASSERT_EQ(entries.size(), 2u);  // no .tmp left
  EXPECT_EQ(entries[0].name, "y");
  EXPECT_TRUE(entries[0].is_directory);
  EXPECT_EQ(entries[1].name, "z");
  EXPECT_FALSE(entries[1].is_directory);
  EXPECT_EQ(entries[1].size, 6u);
  const auto names = disk().list_names(path("a/b/c")).value();
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[0].name, "y");
  EXPECT_TRUE(names[0].is_directory);
  EXPECT_EQ(names[1].name, "z");
  EXPECT_FALSE(names[1].is_directory);
  EXPECT_FALSE(disk().make_directories(path("a/b/c/z")).ok());
  ASSERT_TRUE(disk().rename(path("a/b/c/z"), path("a/b/c/y/z")).ok());
  EXPECT_FALSE(disk().remove(path("a/b/c/y")).ok());
  EXPECT_TRUE(disk().exists(path("a/b/c/y/z")).value());
  ASSERT_TRUE(disk().remove(path("a/b/c/y/z")).ok());
  ASSERT_TRUE(disk().remove(path("a/b/c/y")).ok());
  EXPECT_EQ(disk().remove(path("a/b/c/y")).code(), error_code::not_found);
  ASSERT_TRUE(disk().sync_directory(path("a/b/c")).ok());
  EXPECT_EQ(disk().identify(path("a/b/c")).value(), disk().identify(path("a/b/c/../c")).value());
  EXPECT_NE(disk().identify(path("a/b/c")).value(), disk().identify(base_).value());
  const auto space = disk().measure_space(path("a/b/c")).value();
  EXPECT_GT(space.available_bytes, 0u);
  EXPECT_GE(space.total_bytes, space.available_bytes);
  ASSERT_TRUE(disk().remove_tree(path("a")).ok());
  ASSERT_TRUE(disk().remove_tree(path("a")).ok());
  EXPECT_FALSE(disk().exists(path("a/b/c")).value());
  EXPECT_EQ(disk().list(path("a")).code(), error_code::not_found);
  EXPECT_EQ(disk().list(base_).value().size(), 0u);
}

TEST_P(FileSystemTest, ADirectoryMovesWithAllItHolds) {
  ASSERT_TRUE(disk().make_directories(path("from/deep")).ok());
  ASSERT_TRUE(replace_file(disk(), path("from/deep/f"), as_bytes("content")).ok());
  ASSERT_TRUE(disk().make_directories(path("from-not")).ok());
  const auto opened = disk().open(path("from/deep/f"), open_mode::read_write).value();
  ASSERT_TRUE(disk().rename(path("from"), path("to")).ok());
  EXPECT_EQ(text_of("to/deep/f"), "content");
  EXPECT_FALSE(disk().exists(path("from")).value());
  EXPECT_TRUE(disk().exists(path("from-not")).value());
  EXPECT_FALSE(disk().rename(path("to"), path("from-not/no/where")).ok());
  // An open file outlives its name.
  ASSERT_TRUE(opened->write_at(0, as_bytes("CON")).ok());
  EXPECT_EQ(text_of("to/deep/f"), "CONtent");
  ASSERT_TRUE(disk().remove_tree(path("to")).ok());
  EXPECT_EQ(opened->size().value(), 7u);
}

TEST_P(FileSystemTest, DirectFiles) {
  EXPECT_EQ(disk().open_direct(path("a")).code(), error_code::not_found);
  ASSERT_TRUE(
      replace_file(disk(), path("a"), as_bytes(std::string(2 * direct_alignment, 'o'))).ok());
  const auto opened = disk().open_direct(path("a")).value();
  const auto block = aligned_buffer::make(direct_alignment).value();
  std::ranges::fill(block.bytes(), std::byte{'n'});
  ASSERT_TRUE(opened->write_at(direct_alignment, block.bytes()).ok());
  ASSERT_TRUE(opened->sync().ok());
  EXPECT_EQ(text_of("a"), std::string(direct_alignment, 'o') + std::string(direct_alignment, 'n'));
  EXPECT_EQ(opened->read_at(0, block.bytes()).value(), direct_alignment);
  EXPECT_EQ(to_string(block.bytes()), std::string(direct_alignment, 'o'));
  EXPECT_EQ(opened->read_at(2 * direct_alignment, block.bytes()).value(), 0u);
}

TEST_P(FileSystemTest, AVolumeIsSyncedAgainAndAgain) {
  EXPECT_EQ(disk().open_volume(path("no")).code(), error_code::not_found);
  const auto all = disk().open_volume(base_);
  if (!all.ok()) {
    EXPECT_EQ(all.code(), error_code::unsupported);
    GTEST_SKIP() << all.failure().message;
  }
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(replace_file(disk(), path("a"), as_bytes("content")).ok());
    const status synced = (*all)->sync();
    EXPECT_TRUE(synced.ok()) << synced.failure().message;
  }
}

TEST_P(FileSystemTest, ALockIsTakenOnce) {
  auto held = disk().lock(path(".lock"));
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(disk().lock(path(".lock")).code(), error_code::locked);
  EXPECT_TRUE(disk().lock(path(".lock2")).ok());
  held.value().reset();
  EXPECT_TRUE(disk().lock(path(".lock")).ok());
}

std::string name_of(const testing::TestParamInfo<twin>& which) {
  constexpr const char* names[] = {"posix", "memory", "simulation"};
  return names[static_cast<int>(which.param)];
}

INSTANTIATE_TEST_SUITE_P(, FileSystemTest,
                         testing::Values(twin::posix, twin::memory, twin::simulation), name_of);

}  // namespace
}  // namespace ringlog::io
