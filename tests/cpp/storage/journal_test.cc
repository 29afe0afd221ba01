#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "io/sim/disk.h"
#include "io/sim/world.h"
#include "storage/journal/journal.h"
#include "storage/journal/journal_scan.h"

namespace ringlog::storage {
namespace {

const journal_identity owner = journal_identity::of(uuid::reserved(50), "a-cluster");
constexpr std::uint32_t log_number = 7;

// ---- bytes

std::vector<journal_entry> one_of_each() {
  static const byte_buffer content(300, std::byte{0x5a});
  journaled_log named{{"orders", partition_id_t(3)},
                      uuid::reserved(9),
                      offset_t(1),
                      offset_t(20),
                      offset_t(10),
                      4711};
  journaled_batch whole{offset_t(20), offset_t(25), offset_t(10), 4711, content};
  journaled_batch piece = whole;
  piece.more_follows = true;
  journaled_log outside = named;
  outside.is_outside = true;
  return {{log_number, named},
          {log_number, outside},
          {log_number, whole},
          {log_number, piece},
          {log_number, journaled_log_start{offset_t(12), offset_t(10)}},
          {log_number, journaled_cut{offset_t(22), offset_t(10), 5000}},
          {log_number, journaled_removal{}}};
}

byte_buffer encode(const std::vector<journal_entry>& entries) {
  byte_buffer bytes;
  for (const journal_entry& entry : entries) {
    const std::size_t at = bytes.size();
    bytes.resize(at + encoded_bytes(entry));
    encode_entry(mutable_bytes(bytes).subspan(at), entry);
  }
  return bytes;
}

TEST(JournalFormat, EntriesComeBack) {
  const auto written = one_of_each();
  const byte_buffer bytes = encode(written);
  bytes_view left = bytes;
  for (const journal_entry& expected : written) {
    const auto entry = decode_entry(left);
    ASSERT_TRUE(entry.ok()) << entry.failure().message;
    EXPECT_EQ(encode({*entry}), encode({expected}));
  }
  EXPECT_TRUE(left.empty());
}

TEST(JournalFormat, WhatNobodyWritesIsDamage) {
  for (const journal_entry& entry : one_of_each()) {
    const byte_buffer whole = encode({entry});
    for (std::size_t size = 0; size < whole.size(); ++size) {
      bytes_view cut = bytes_view(whole).first(size);
      EXPECT_EQ(decode_entry(cut).code(), error_code::corrupt);
    }
    byte_buffer other_kind = whole;
    other_kind[0] = std::byte{99};
    bytes_view left = other_kind;
    EXPECT_EQ(decode_entry(left).code(), error_code::corrupt);
  }
}

TEST(JournalFormat, ABlockIsOfOneDirectoryAndVersion) {
  byte_buffer block(journal_format::header_bytes + 10, std::byte{1});
  block_header header;
  header.bytes = static_cast<std::uint32_t>(block.size());
  header.sequence = 5;
  header.durable_sequence = 3;
  header.epoch = 2;
  header.entries = 1;
  header.identity = owner;
  seal_block(block, header);
  EXPECT_TRUE(has_right_checksum(block));
  EXPECT_EQ(read_block_header(block, owner).value(), header);
  EXPECT_EQ(read_block_header(block, journal_identity::of(uuid::reserved(51), "a-cluster")).value(),
            std::nullopt);
  EXPECT_EQ(read_block_header(block, journal_identity::of(uuid::reserved(50), "b")).value(),
            std::nullopt);
  block[journal_format::version_at + 1] = std::byte{2};
  EXPECT_EQ(read_block_header(block, owner).code(), error_code::unsupported);
  block[journal_format::version_at + 1] = std::byte{1};
  block[journal_format::incompatible_features_at] = std::byte{1};
  EXPECT_EQ(read_block_header(block, owner).code(), error_code::unsupported);
}

// The example of docs/journal_format.md.
TEST(JournalFormat, TheWorkedExampleIsOne) {
  constexpr std::uint8_t example[] = {
      0x52, 0x49, 0x4e, 0x47, 0x4a, 0x52, 0x4e, 0x4c, 0xa4, 0x31, 0x2b, 0xad, 0x00, 0x01,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x6c,
      0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04,
      0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
      0x0e, 0x0f, 0x14, 0xd4, 0xbf, 0xa8, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x28};
  const bytes_view block = std::as_bytes(std::span(example));
  uuid directory;
  for (std::size_t i = 0; i < directory.bytes.size(); ++i) {
    directory.bytes[i] = static_cast<std::byte>(i);
  }
  const auto identity = journal_identity::of(directory, "cluster");
  const auto header = read_block_header(block, identity).value();
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(*header, (block_header{108, 1, 2, 5, 4, identity}));
  EXPECT_TRUE(has_right_checksum(block));
  bytes_view entries = block.subspan(journal_format::header_bytes);
  const journal_entry entry = decode_entry(entries).value();
  EXPECT_EQ(entry.log, 7u);
  EXPECT_EQ(std::get<journaled_log_start>(entry.what).start, offset_t(42));
  EXPECT_EQ(std::get<journaled_log_start>(entry.what).first_segment, offset_t(40));
  byte_buffer again(block.begin(), block.end());
  seal_block(again, *header);
  EXPECT_TRUE(equal(again, block));
}

TEST(JournalCheckpoint, ComesBackAndNoticesEveryChangedByte) {
  journal_checkpoint content;
  content.identity = owner;
  content.epoch = 3;
  content.first_sequence = 99;
  content.next_log = 12;
  content.clean = false;
  content.metadata = {leader_epoch_t(5), offset_t(70), offset_t(60), 4812};
  content.logs[7] = {{"orders", partition_id_t(0)},
                     uuid::reserved(9),
                     offset_t(1),
                     offset_t(20),
                     offset_t(10),
                     4711};
  content.logs[9] = {
      {"t", partition_id_t(1)}, uuid::reserved(10), offset_t(0), offset_t(0), offset_t(0), 0, true};
  content.checked_from = {{7, offset_t(5)}, {9, offset_t(0)}};
  content.all_known = true;
  const byte_buffer bytes = encode_checkpoint(content);
  EXPECT_EQ(decode_checkpoint(bytes, "x").value(), content);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    byte_buffer wrong = bytes;
    wrong[at] ^= std::byte{0x10};
    EXPECT_FALSE(decode_checkpoint(wrong, "x").ok()) << at;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_checkpoint(bytes_view(bytes).first(size), "x").ok()) << size;
  }
}

// ---- writing and reading, on a simulated disk

class JournalTest : public ::testing::Test {
 protected:
  static constexpr const char* folder = "/journal";

  void SetUp() override { ASSERT_TRUE(disk_.make_directories(folder).ok()); }

  services outside() { return {disk_, engine_, world_.time(), world_.random(), sink_}; }

  std::unique_ptr<journal> make(const journal_position& from,
                                std::int64_t bytes_max = 8 * limits::MiB) {
    auto made = std::make_unique<journal>(outside(), journal_options{folder, bytes_max, owner});
    EXPECT_TRUE(made->files().open().ok());
    EXPECT_TRUE(made->files().ensure_one().ok());
    made->begin(from);
    return made;
  }

  journal::entry_number append(journal& to, std::size_t bytes) {
    auto content = std::make_shared<byte_buffer>(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
      (*content)[i] = static_cast<std::byte>(next_offset_ + i);
    const journaled_batch batch{offset_t(next_offset_), offset_t(next_offset_ + 1), offset_t(0),
                                position_, *content};
    ++next_offset_;
    position_ += static_cast<std::int64_t>(bytes);
    return to.append({log_number, batch}, content);
  }

  struct found_entries {
    std::vector<std::int64_t> ends;  // of whole batches
    byte_buffer file;                // what a replay would write
    scanned_journal scanned;
  };

  result<found_entries> scan(std::uint64_t first, std::uint64_t epoch) {
    journal_files files(outside(), folder, 8 * limits::MiB);
    TRY(files.open());
    found_entries found;
    TRY_ASSIGN(
        found.scanned,
        scan_journal(files, {owner, first, epoch},
                     [&](const block_header&, bytes_view entries) -> status {
                       while (!entries.empty()) {
                         TRY_ASSIGN(const journal_entry entry, decode_entry(entries));
                         const auto& piece = std::get<journaled_batch>(entry.what);
                         const auto at = static_cast<std::size_t>(piece.position);
                         found.file.resize(std::max(found.file.size(), at + piece.bytes.size()));
                         std::copy(piece.bytes.begin(), piece.bytes.end(),
                                   found.file.begin() + piece.position);
                         if (!piece.more_follows) found.ends.push_back(piece.end.value());
                       }
                       return {};
                     }));
    return found;
  }

  void wait_for(journal& by, journal::entry_number entry) {
    std::optional<status> answer;
    by.when_durable(entry, [&](status outcome) { answer = std::move(outcome); });
    ASSERT_TRUE(world_.run_until([&] { return answer.has_value(); }));
    ASSERT_TRUE(answer->ok()) << answer->failure().message;
  }

  // One byte of the block with this number is wrong from now on; blocks of one size each.
  void damage_block(std::uint64_t sequence, std::size_t size = journal_format::alignment) {
    auto file = disk_.open(std::string(folder) + "/00000001.journal", io::open_mode::read_write);
    const std::uint64_t at = (sequence - 1) * size + 90;
    byte_buffer byte(1);
    ASSERT_TRUE((*file)->read_at(at, byte).ok());
    byte[0] ^= std::byte{1};
    ASSERT_TRUE((*file)->write_at(at, byte).ok());
  }

  io::sim::world world_{1};
  io::sim::disk disk_{world_};
  io::sim::actor& engine_ = world_.make_actor();
  null_log_sink sink_;
  std::int64_t next_offset_ = 0;
  std::int64_t position_ = 0;
};

TEST_F(JournalTest, WhatIsAppendedIsRead) {
  const auto written = make({1, 1});
  for (const std::size_t bytes : {100u, 1u, 200'000u, 3'000u, 1'000'000u, 50u})
    append(*written, bytes);
  wait_for(*written, append(*written, 10));
  const auto found = scan(1, 1);
  ASSERT_TRUE(found.ok()) << found.failure().message;
  EXPECT_EQ(found->ends, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(found->file.size(), static_cast<std::size_t>(position_));
  EXPECT_EQ(found->file[300'000], static_cast<std::byte>(4 + 300'000 - 203'101));
}

TEST_F(JournalTest, EntriesGatherWhileABlockIsWritten) {
  const auto written = make({1, 1});
  for (int i = 0; i < 1000; ++i) append(*written, 100);
  wait_for(*written, append(*written, 100));
  const auto found = scan(1, 1);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->ends.size(), 1001u);
  EXPECT_LE(found->scanned.blocks, 3u);
}

TEST_F(JournalTest, ATornEndIsTheEnd) {
  const auto written = make({1, 1});
  for (int i = 0; i < 5; ++i) wait_for(*written, append(*written, 100));
  damage_block(5);
  const auto found = scan(1, 1);
  ASSERT_TRUE(found.ok()) << found.failure().message;
  EXPECT_EQ(found->ends.size(), 4u);
  EXPECT_EQ(found->scanned.next_sequence, 5u);
}

TEST_F(JournalTest, DamageInTheMiddleIsNotTakenForTheEnd) {
  const auto written = make({1, 1});
  for (int i = 0; i < 5; ++i) wait_for(*written, append(*written, 100));
  damage_block(3);
  const auto found = scan(1, 1);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.code(), error_code::corrupt);
  EXPECT_NE(found.failure().message.find("block 3"), std::string::npos);
}

TEST_F(JournalTest, BlocksOfAnEarlierRoundAreNotReplayed) {
  auto written = make({1, 1});
  for (int i = 0; i < 5; ++i) wait_for(*written, append(*written, 100));
  written = make({2, 6});  // as after a clean end: the files are written again from their start
  for (int i = 0; i < 2; ++i) wait_for(*written, append(*written, 100));
  const auto found = scan(6, 2);
  ASSERT_TRUE(found.ok()) << found.failure().message;
  EXPECT_EQ(found->ends, (std::vector<std::int64_t>{6, 7}));
}

TEST_F(JournalTest, AnUnfinishedBlockOfAnEarlierEpochIsNotReplayedBehindANewOne) {
  constexpr std::size_t size = limits::journal_block_bytes_max;
  constexpr std::size_t whole =
      size - journal_format::header_bytes - journal_format::batch_overhead;
  auto written = make({1, 1});
  for (int i = 0; i < 2; ++i) append(*written, whole);
  wait_for(*written, append(*written, whole));  // all under way at once: none vouches for another
  damage_block(2, size);
  ASSERT_EQ(scan(1, 1)->scanned.next_sequence, 2u);
  world_.drop_all();  // a next file is being made
  written = make({2, 2});
  written->files().set_live({1}, size, 1);
  wait_for(*written, append(*written, whole));  // over the second one; the third stands behind it
  const auto found = scan(1, 2);
  ASSERT_TRUE(found.ok()) << found.failure().message;
  EXPECT_EQ(found->ends, (std::vector<std::int64_t>{1, 4}));
}

TEST_F(JournalTest, GrowsToItsBoundAndIsUsedAgain) {
  const auto written = make({1, 1}, 4 * limits::MiB);
  bool asked = false;
  written->on_half_full = [&] {
    if (std::exchange(asked, true)) return;
    engine_.post([&] {
      written->release_before(written->first_needed());
      asked = false;
    });
  };
  journal::entry_number last = 0;
  for (int i = 0; i < 200; ++i) {
    while (!written->has_room(100'000, false)) ASSERT_TRUE(world_.run_one());
    last = append(*written, 100'000);
  }
  wait_for(*written, last);
  std::uint64_t bytes = 0;
  const auto files = disk_.list(folder).value();
  for (const io::directory_entry& entry : files) bytes += entry.size;
  EXPECT_LE(bytes, static_cast<std::uint64_t>(4 * limits::MiB));
}

TEST_F(JournalTest, AFileThatWasJustBeingMadeIsMadeAgain) {
  const auto begun = disk_.open(std::string(folder) + "/00000001.journal", io::open_mode::create);
  ASSERT_TRUE(begun.ok());
  ASSERT_TRUE((*begun)->write_at(0, byte_buffer(5000)).ok());
  const auto written = make({1, 1});
  wait_for(*written, append(*written, 100));
}

TEST_F(JournalTest, AFailedWriteIsFinal) {
  const auto written = make({1, 1});
  std::optional<error> failure;
  written->on_failure = [&](const error& cause) { failure = cause; };
  disk_.faults.write_error_one_in = 1;
  std::optional<status> answer;
  written->when_durable(append(*written, 100), [&](status outcome) { answer = outcome; });
  ASSERT_TRUE(world_.run_until([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->code(), error_code::io_error);
  EXPECT_TRUE(failure.has_value());
  disk_.faults.write_error_one_in = 0;
  std::optional<status> later;
  written->when_durable(append(*written, 100), [&](status outcome) { later = outcome; });
  EXPECT_FALSE(later->ok());
}

}  // namespace
}  // namespace ringlog::storage
