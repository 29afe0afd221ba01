#include "golden.h"

// The reader of the golden data itself: the counts are those that the folder's own tools give.

namespace ringlog::golden {
namespace {

template <typename Map>
std::size_t total(const Map& lists) {
  std::size_t sum = 0;
  for (const auto& entry : lists) sum += entry.second.size();
  return sum;
}

TEST(golden, expected_files_are_read_whole) {
  GOLDEN_OR_SKIP();
  EXPECT_EQ(total(records("clean")), 2072U);
  EXPECT_EQ(total(records("clean", true)), 2024U);
  EXPECT_EQ(batches("clean").size(), 1133U);
  EXPECT_EQ(batches("clean").at(1).number("position"), 174);
  EXPECT_EQ(
      sections("clean", "index.txt").at("__cluster_metadata-0/00000000000000000000.index").at(0),
      "offset: 55 position: 4114");
  const auto times = offsets_for_times("clean");
  EXPECT_EQ(times.back().offset, -1);
  EXPECT_EQ(times.back().leader_epoch, std::nullopt);
  EXPECT_EQ(document("clean", "topics.json").at("g.grown").at("partitions").size(), 4U);
}

TEST(golden, records_keep_nulls_and_large_values_apart) {
  GOLDEN_OR_SKIP();
  const auto all = records("clean");
  bool null_value = false, empty_value = false, large_value = false, null_header = false;
  for (const auto& one : all.at({"g.codec-none", 0})) {
    null_value |= !one.value && !one.value_size;
    empty_value |= one.value && one.value->empty();
    large_value |= one.value_size == 9600;
    for (const auto& header : one.headers) null_header |= !header.second;
  }
  EXPECT_TRUE(null_value && empty_value && large_value && null_header);
}

TEST(golden, archives_unpack_to_a_directory_of_their_own) {
  GOLDEN_OR_SKIP();
  std::filesystem::path where;
  {
    const directory killed("killed");
    where = killed.path();
    EXPECT_TRUE(std::filesystem::exists(where / ".lock"));
    EXPECT_TRUE(std::filesystem::exists(killed.partition("g.late", 0) / "partition.metadata"));
  }
  EXPECT_FALSE(std::filesystem::exists(where));
}

TEST(golden, base64_gives_bytes_back) {
  EXPECT_EQ(from_base64("aDE="), "h1");
  EXPECT_EQ(from_base64(""), "");
  EXPECT_EQ(from_base64(nullptr), std::nullopt);
  EXPECT_EQ(from_base64("/+8AAQ=="), std::string("\xff\xef\0\1", 4));
}

}  // namespace
}  // namespace ringlog::golden
