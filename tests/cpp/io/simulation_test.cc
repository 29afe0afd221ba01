#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "io/sim/disk.h"
#include "io/sim/world.h"

namespace ringlog::io::sim {
namespace {

constexpr std::uint64_t seeds = 300;

std::uint64_t first_seed() {
  const char* given = std::getenv("RINGLOG_SEED");
  return given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
}

// Runs `body(seed)` for many seeds; a failure names its seed.
template <typename Body>
void for_each_seed(Body body) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    SCOPED_TRACE("RINGLOG_SEED=" + std::to_string(seed));
    body(seed);
    if (testing::Test::HasFailure()) return;
  }
}

std::string text_of(disk& from, const std::string& path) {
  const auto content = read_file(from, path, 1'000'000);
  return content.ok() ? to_string(*content) : "(" + content.failure().message + ")";
}

void add(event_counts& total, const event_counts& more) {
  for (const auto& [name, count] : more) total[name] += count;
}

TEST(WorldTest, TheSameSeedGivesTheSameRunAndAnotherSeedAnother) {
  const auto run = [](std::uint64_t seed) {
    world home(seed);
    std::string order;
    actor* actors[] = {&home.make_actor(), &home.make_actor(), &home.make_actor()};
    for (int round = 0; round < 20; ++round) {
      for (std::size_t i = 0; i < 3; ++i) {
        const char name = static_cast<char>('a' + i);
        actors[i]->post([&order, name] { order.push_back(name); });
        actors[i]->schedule_at({milliseconds(home.random().below(20))},
                               [&order, name] { order.push_back(name); });
      }
    }
    home.run_until_idle();
    return order;
  };
  EXPECT_EQ(run(1).size(), 120u);
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(WorldTest, PostedTasksKeepTheirOrderAndTimersTheirTime) {
  for_each_seed([](std::uint64_t seed) {
    world home(seed);
    actor& one = home.make_actor();
    std::vector<int> posted;
    for (int i = 0; i < 5; ++i) one.post([&posted, i] { posted.push_back(i); });
    const auto cancelled = one.schedule_at({milliseconds(3)}, [] { FAIL(); });
    std::vector<std::int64_t> times;
    for (const int due_ms : {7, 2, 5}) {
      one.schedule_at({milliseconds(due_ms)},
                      [&] { times.push_back(home.time().now().since_start / milliseconds(1)); });
    }
    EXPECT_TRUE(one.cancel(cancelled));
    EXPECT_FALSE(one.cancel(cancelled));
    home.run_for(milliseconds(6));
    EXPECT_EQ(home.time().now().since_start, milliseconds(6));
    EXPECT_EQ(posted, (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(times, (std::vector<std::int64_t>{2, 5}));
    home.run_until_idle();
    EXPECT_EQ(times.back(), 7);
  });
}

TEST(WorldTest, OperationsEndInAnyOrderAndACrashDropsThem) {
  std::set<std::string> orders;
  for_each_seed([&](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    actor& engine = home.make_actor();
    const auto target = drive.open("/a", open_mode::create).value();
    std::string order;
    engine.write(*target, 0, {as_bytes("x"), as_bytes("y")}, true, [&](status done) {
      EXPECT_TRUE(done.ok());
      order.push_back('1');
    });
    engine.write(*target, 2, {as_bytes("z")}, false, [&](status done) {
      EXPECT_TRUE(done.ok());
      order.push_back('2');
    });
    home.run_until_idle();
    orders.insert(order);
    EXPECT_EQ(text_of(drive, "/a"), "xyz");
    engine.sync(*target, [](status) { FAIL() << "it died before"; });
    drive.power_off();
    home.drop_all();
    home.run_until_idle();
  });
  EXPECT_EQ(orders, (std::set<std::string>{"12", "21"}));
}

TEST(DiskTest, SyncedBytesAndNamesSurviveEveryCrash) {
  event_counts total;
  for_each_seed([&](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    ASSERT_TRUE(drive.make_directories("/d").ok());
    ASSERT_TRUE(drive.sync_directory("/").ok());
    std::string synced;
    for (int boot = 0; boot < 3; ++boot) {
      const auto target = drive.open("/d/f", open_mode::create).value();
      ASSERT_TRUE(drive.sync_directory("/d").ok());
      for (int i = 0; i < 5; ++i) {
        const std::string piece(1 + home.random().below(3000), static_cast<char>('a' + i));
        ASSERT_TRUE(target->write_at(synced.size(), as_bytes(piece)).ok());
        ASSERT_TRUE(target->sync().ok());
        synced += piece;
      }
      ASSERT_TRUE(target->write_at(synced.size(), as_bytes(std::string(9000, 'z'))).ok());
      drive.power_on();
      EXPECT_EQ(text_of(drive, "/d/f").substr(0, synced.size()), synced);
      EXPECT_FALSE(target->sync().ok());  // opened before the crash
    }
    add(total, drive.events());
  });
  for (const char* outcome : {"crash kept a write", "crash lost a write", "crash tore a write",
                              "crash left zeros at the end"}) {
    EXPECT_GT(total[outcome], 0u) << outcome;
  }
}

// The canary: forgetting one sync must be punished by some seed, else no test here means anything.
TEST(DiskTest, WhatWasNotSyncedIsLostByOneSeedAndKeptByAnother) {
  std::set<std::string> without_file_sync;
  std::set<std::string> without_directory_sync;
  std::set<std::string> without_any_after_rename;
  for_each_seed([&](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    const auto unsynced = drive.open("/a", open_mode::create).value();
    ASSERT_TRUE(unsynced->write_at(0, as_bytes("data")).ok());
    const auto old = drive.open("/c", open_mode::create).value();
    ASSERT_TRUE(old->write_at(0, as_bytes("old")).ok());
    ASSERT_TRUE(old->sync().ok());
    ASSERT_TRUE(drive.sync_directory("/").ok());
    const auto unnamed = drive.open("/b", open_mode::create).value();
    ASSERT_TRUE(unnamed->write_at(0, as_bytes("data")).ok());
    ASSERT_TRUE(unnamed->sync().ok());
    ASSERT_TRUE(drive.rename("/b", "/c").ok());
    drive.power_on();
    without_file_sync.insert(text_of(drive, "/a"));
    without_directory_sync.insert(drive.exists("/b").value() ? "there" : "gone");
    without_any_after_rename.insert(text_of(drive, "/c"));
  });
  EXPECT_EQ(without_file_sync, (std::set<std::string>{"", "data", std::string(4, '\0')}));
  EXPECT_EQ(without_directory_sync, (std::set<std::string>{"there", "gone"}));
  EXPECT_EQ(without_any_after_rename, (std::set<std::string>{"old", "data"}));
}

TEST(DiskTest, ReplacingAFileLeavesTheOldOrTheNewAtEveryCrashPoint) {
  std::set<std::string> seen;
  for_each_seed([&](std::uint64_t seed) {
    std::uint64_t points = 1;
    for (std::uint64_t crash_at = 0; crash_at < points; ++crash_at) {
      world home(seed);
      disk drive(home);
      ASSERT_TRUE(replace_file(drive, "/f", as_bytes("old")).ok());
      const std::uint64_t start = drive.crash_points();
      drive.observer = [&](const crash_point& point) {
        if (point.number - start == crash_at) drive.power_off();
      };
      const std::string fresh(6000, 'n');
      const bool replaced = replace_file(drive, "/f", as_bytes(fresh)).ok();
      EXPECT_EQ(replaced, !drive.is_off());
      points = drive.crash_points() - start + (replaced ? 0 : 1);
      drive.observer = nullptr;
      drive.power_on();
      const std::string found = text_of(drive, "/f");
      EXPECT_TRUE(found == fresh || (found == "old" && !replaced)) << found;
      seen.insert(found.substr(0, 3));
    }
  });
  EXPECT_EQ(seen, (std::set<std::string>{"old", "nnn"}));
}

TEST(DiskTest, ADurableWriteMakesItselfDurableAndNothingElse) {
  std::set<std::string> neighbours;
  for_each_seed([&](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    actor& engine = home.make_actor();
    const auto target = drive.open("/a", open_mode::create).value();
    ASSERT_TRUE(drive.sync_directory("/").ok());
    ASSERT_TRUE(target->write_at(0, as_bytes(std::string(8192, 'u'))).ok());
    engine.write(*target, 8192, {as_bytes("durable")}, true,
                 [](status done) { EXPECT_TRUE(done.ok()); });
    home.run_until_idle();
    drive.power_on();
    const std::string found = text_of(drive, "/a");
    EXPECT_EQ(found.substr(8192), "durable");
    neighbours.insert(found.substr(0, 8192));
  });
  EXPECT_TRUE(neighbours.contains(std::string(8192, 'u')));
  EXPECT_TRUE(neighbours.contains(std::string(8192, '\0')));
}

// What a power cut left of `count` bytes of `letter` from `position` on.
std::string fate(std::string_view found, std::size_t position, std::size_t count, char letter) {
  const std::string_view part = found.substr(std::min(position, found.size()), count);
  const auto kept = static_cast<std::size_t>(std::ranges::count(part, letter));
  return kept == count ? "kept" : kept == 0 ? "lost" : "torn";
}

TEST(DiskTest, WritesUnderWayAtAPowerCutTearEachByItself) {
  constexpr std::size_t size = 16'384;
  std::set<std::string> fates;
  std::set<std::string> tears;
  event_counts total;
  for_each_seed([&](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    actor& engine = home.make_actor();
    ASSERT_TRUE(replace_file(drive, "/a", as_bytes(std::string(3 * size, '-'))).ok());
    const auto target = drive.open_direct("/a").value();
    const std::string blocks[] = {std::string(size, 'a'), std::string(size, 'b'),
                                  std::string(size, 'c')};
    std::set<std::size_t> acknowledged;
    for (std::size_t i = 0; i < 3; ++i) {
      engine.write(*target, i * size, {as_bytes(blocks[i])}, true, [&, i](status done) {
        if (done.ok()) acknowledged.insert(i);
      });
    }
    const std::uint64_t ends = seed % 3;  // as many come to their end before the power fails
    while (acknowledged.size() < ends) home.run_one();
    drive.power_off();
    home.drop_all();
    drive.power_on();
    const std::string found = text_of(drive, "/a");
    ASSERT_EQ(found.size(), 3 * size);
    std::string left;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string outcome = fate(found, i * size, size, blocks[i][0]);
      EXPECT_TRUE(outcome == "kept" || !acknowledged.contains(i)) << i << " " << outcome;
      if (ends == 0 && i < 2) left += outcome + " ";
      if (outcome != "torn") continue;
      const std::string_view torn = std::string_view(found).substr(i * size, size);
      const auto page_is_whole = [&](std::size_t page) {
        return fate(torn, page * 4096, 4096, blocks[i][0]) != "torn";
      };
      tears.insert(page_is_whole(0) && page_is_whole(1) && page_is_whole(2) && page_is_whole(3)
                       ? "between pages"
                       : "inside a page");
      tears.insert(torn.find(blocks[i][0]) > torn.find('-') ? "first lost" : "first kept");
      for (std::size_t at = 0; at < size; at += 512) {
        EXPECT_NE(fate(torn, at, 512, blocks[i][0]), "torn") << "a sector is written or not";
      }
    }
    fates.insert(left);
    add(total, drive.events());
  });
  fates.erase("");
  EXPECT_EQ(fates, (std::set<std::string>{"kept kept ", "kept lost ", "kept torn ", "lost kept ",
                                          "lost lost ", "lost torn ", "torn kept ", "torn lost ",
                                          "torn torn "}));
  EXPECT_EQ(tears,
            (std::set<std::string>{"between pages", "inside a page", "first kept", "first lost"}));
  for (const char* outcome : {"crash kept a write under way", "crash lost a write under way",
                              "crash tore a write under way"}) {
    EXPECT_GT(total[outcome], 0u) << outcome;
  }
}

TEST(DiskTest, AWriteUnderWayDiesWithItsProcess) {
  for_each_seed([](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    actor& engine = home.make_actor();
    ASSERT_TRUE(replace_file(drive, "/a", as_bytes("old")).ok());
    const auto target = drive.open("/a", open_mode::read_write).value();
    engine.write(*target, 0, {as_bytes("new")}, true, [](status) { FAIL() << "it died before"; });
    home.drop_all();
    drive.power_on();
    EXPECT_EQ(text_of(drive, "/a"), "old");
  });
}

TEST(DiskTest, AVolumeMakesAllDurable) {
  std::set<std::uint64_t> crash_points;
  for_each_seed([&](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    const auto all = drive.open_volume("/").value();
    ASSERT_TRUE(drive.make_directories("/d/e").ok());
    const auto first = drive.open("/a", open_mode::create).value();
    const auto second = drive.open("/d/e/b", open_mode::create).value();
    ASSERT_TRUE(first->write_at(0, as_bytes("first")).ok());
    ASSERT_TRUE(second->write_at(0, as_bytes("second")).ok());
    ASSERT_TRUE(drive.rename("/a", "/d/a").ok());
    drive.observer = [&](const crash_point& point) {
      if (point.what == "sync_volume") crash_points.insert(point.is_after ? 1 : 0);
    };
    ASSERT_TRUE(all->sync().ok());
    drive.power_on();
    EXPECT_EQ(text_of(drive, "/d/a"), "first");
    EXPECT_EQ(text_of(drive, "/d/e/b"), "second");
    EXPECT_FALSE(drive.exists("/a").value());
    EXPECT_FALSE(all->sync().ok());  // opened before the crash
  });
  EXPECT_EQ(crash_points, (std::set<std::uint64_t>{0, 1}));
}

// As the kernel does since 5.8: each open volume hears once of what was lost since it was opened.
TEST(DiskTest, AVolumeReportsWhatOtherSyncsLost) {
  world home(first_seed());
  disk drive(home);
  const auto before = drive.open_volume("/").value();
  const auto target = drive.open("/a", open_mode::create).value();
  ASSERT_TRUE(target->write_at(0, as_bytes("data")).ok());
  drive.faults.sync_error_one_in = 1;
  EXPECT_FALSE(target->sync().ok());
  drive.faults = {};
  const auto after = drive.open_volume("/").value();
  EXPECT_TRUE(after->sync().ok());
  EXPECT_EQ(before->sync().code(), error_code::io_error);
  EXPECT_TRUE(before->sync().ok());
  drive.faults.sync_error_one_in = 1;
  EXPECT_EQ(after->sync().code(), error_code::io_error);
  drive.faults = {};
  EXPECT_EQ(before->sync().code(), error_code::io_error);
  EXPECT_EQ(drive.events().at("fault: sync of the disk failed"), 1u);
}

TEST(DiskTest, WhatAFailedSyncCoveredIsNotSavedByALaterOne) {
  std::set<bool> survived;
  event_counts total;
  for_each_seed([&](std::uint64_t seed) {
    world home(seed);
    disk drive(home);
    const auto target = drive.open("/a", open_mode::create).value();
    ASSERT_TRUE(drive.sync_directory("/").ok());
    ASSERT_TRUE(target->write_at(0, as_bytes("data")).ok());
    drive.faults.sync_error_one_in = 1;
    EXPECT_EQ(target->sync().code(), error_code::io_error);
    drive.faults.sync_error_one_in = 0;
    EXPECT_TRUE(target->sync().ok());
    EXPECT_EQ(text_of(drive, "/a"), "data");
    drive.power_on();
    survived.insert(text_of(drive, "/a") == "data");
    add(total, drive.events());
  });
  EXPECT_EQ(survived, (std::set<bool>{false, true}));
  EXPECT_EQ(total["fault: sync failed"], seeds);
}

TEST(DiskTest, FaultsStrikeAndAreCounted) {
  world home(first_seed());
  disk drive(home);
  const auto target = drive.open("/a", open_mode::create).value();
  const std::string text(100, 't');
  drive.faults.write_error_one_in = 1;
  EXPECT_EQ(target->write_at(0, as_bytes(text)).code(), error_code::io_error);
  drive.faults = {};
  ASSERT_TRUE(target->resize(0).ok());
  ASSERT_TRUE(target->write_at(0, as_bytes(text)).ok());
  drive.faults.read_error_one_in = 1;
  EXPECT_EQ(read_file(drive, "/a", 1000).code(), error_code::io_error);
  drive.faults = {.flipped_read_one_in = 1};
  EXPECT_NE(text_of(drive, "/a"), text);
  drive.faults = {};
  EXPECT_EQ(text_of(drive, "/a"), text);
  drive.faults.capacity_bytes = 150;
  EXPECT_EQ(drive.measure_space("/").value().available_bytes, 50u);
  EXPECT_EQ(target->reserve(151).code(), error_code::no_space);
  EXPECT_EQ(target->write_at(100, as_bytes(text)).code(), error_code::no_space);
  EXPECT_EQ(target->size().value(), 150u);  // what fitted was written
  EXPECT_TRUE(target->write_at(0, as_bytes("over")).ok());
  ASSERT_TRUE(drive.decay("/a").ok());
  EXPECT_NE(text_of(drive, "/a"), "over" + text.substr(4) + text.substr(0, 50));
  for (const char* fault : {"fault: write failed", "fault: read failed", "fault: bit flipped",
                            "fault: read flipped a bit", "fault: disk full"}) {
    EXPECT_GT(drive.events().at(fault), 0u) << fault;
  }
}

TEST(DiskTest, ACrashFreesLocks) {
  world home(1);
  disk drive(home);
  auto held = drive.lock("/.lock");
  ASSERT_TRUE(held.ok());
  ASSERT_TRUE(drive.sync_directory("/").ok());
  drive.power_on();
  auto again = drive.lock("/.lock");
  ASSERT_TRUE(again.ok());
  held.value().reset();  // of the dead process: frees nothing
  EXPECT_EQ(drive.lock("/.lock").code(), error_code::locked);
}

}  // namespace
}  // namespace ringlog::io::sim
