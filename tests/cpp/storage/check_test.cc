// `ringlog check` below the program: a directory as we leave it is clean; each kind of damage that
// is planted is found, as bad as it is and where it is; what can be repaired is, and no more.

#include "storage/check/log_directory_check.h"

#include <algorithm>
#include <fstream>
#include <functional>

#include "golden.h"
#include "random_seed.h"
#include "storage/checkpoint_file.h"
#include "storage/log_fixture.h"
#include "storage/producer_snapshot.h"

namespace ringlog::storage {
namespace {

// ---- files

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

void flip(const fs::path& file, std::size_t position) {
  std::string content = read(file);
  ASSERT_LT(position, content.size());
  content[position] = static_cast<char>(content[position] ^ 1);
  write(file, content);
}

void cut(const fs::path& file, std::size_t bytes) {
  fs::resize_file(file, fs::file_size(file) - bytes);
}

void add(const fs::path& file, const std::string& bytes) { write(file, read(file) + bytes); }

// ---- a directory with all kinds of files

constexpr std::size_t batch_bytes_of_value = 600;

class check_test : public log_test {
 protected:
  // Three segments: plain batches, an idempotent producer, an aborted transaction, two epochs.
  void write_log(bool clean) {
    log_config config;
    config.segment_bytes = 6500;
    config.index_interval_bytes = 100;
    start(config);
    const std::string value(batch_bytes_of_value, 'v');
    std::int64_t time = 1'795'241'800'000;
    for (int number = 0; number < 12; ++number) {
      append({.count = 2,
              .value = value,
              .timestamp = time += 1000,
              .producer_id = producer_id_t(7),
              .producer_epoch = producer_epoch_t(0),
              .base_sequence = 2 * number},
             {.leader_epoch = leader_epoch_t(number < 5 ? 0 : 3)});
      if (number == 3) append_aborted();
    }
    if (clean) stop();
    if (!clean) kill();
  }

  void append_aborted() {
    append({.count = 1,
            .value = "gone",
            .producer_id = producer_id_t(9),
            .producer_epoch = producer_epoch_t(0),
            .base_sequence = 0,
            .transactional = true});
    const auto info = log_->append_as_leader(
        model::make_transaction_marker_batch({model::control_type::abort, 3}, producer_id_t(9),
                                             producer_epoch_t(0), 1'795'241'800'000),
        {.origin = append_origin::coordinator});
    ASSERT_TRUE(info.ok()) << info.failure().message;
    ASSERT_TRUE(wait(*info).ok());
  }

  const check_report& check(const std::string& directory, bool compacted = false,
                            bool journal_open = false) {
    report_ = check_report();
    checked_.clear();
    log_directory_check all(disk_, directory, report_);
    const status listed = all.read();
    EXPECT_TRUE(listed.ok()) << listed.failure().message;
    if (journal_open) all.expect_journal();
    for (const topic_partition& name : all.partitions()) {
      checked_.emplace(name, check_partition(disk_, all.request_for(name, compacted), report_));
    }
    all.finish(checked_);
    return report_;
  }

  void repair() {
    for (const repair_step& step : report_.steps()) {
      const status made = step.run();
      EXPECT_TRUE(made.ok()) << step.plan << ": " << made.failure().message;
    }
  }

  static std::string text_of(const check_report& report) {
    std::string all;
    for (const finding& one : report.findings()) {
      all += fmt::format("{} {} {} {}: {} [{}]\n", name_of(one.severity), one.path,
                         one.position.value_or(-1), one.offset.value_or(no_offset), one.text,
                         one.remedy);
    }
    return all;
  }

  // The n-th file with that suffix, by name; -1 is the last one.
  fs::path file(std::string_view suffix, int number) const {
    std::vector<std::string> found;
    for (const std::string& name : files()) {
      if (name.ends_with(suffix)) found.push_back(name);
    }
    const std::size_t at = number < 0 ? found.size() - 1 : static_cast<std::size_t>(number);
    CHECK(at < found.size(), "no such file", suffix, number);
    return partition() / found[at];
  }

  check_report report_;
  std::map<topic_partition, checked_partition> checked_;
};

TEST_F(check_test, WhatWeCloseIsClean) {
  write_log(true);
  const check_report& report = check(directory());
  EXPECT_TRUE(report.findings().empty()) << text_of(report);
  EXPECT_TRUE(report.steps().empty());
  const checked_partition& one = checked_.at(orders);
  EXPECT_EQ(one.topic_id, id_);
  EXPECT_GE(one.segments, 3);
  EXPECT_EQ(one.batches, 14);
  EXPECT_EQ(one.records, 26);
  EXPECT_EQ(one.log_end, offset_t(26));
}

TEST_F(check_test, WhatIsKilledHasNotesOnly) {
  write_log(false);
  const check_report& report = check(directory());
  EXPECT_TRUE(report.is_clean()) << text_of(report);
  EXPECT_GT(report.count(finding_severity::note), 0);
  EXPECT_EQ(checked_.at(orders).records, 26);
}

// ---- planted damage

struct planted {
  const char* name;
  finding_severity severity;
  const char* where;  // the end of the path of the finding
  std::function<void(const fs::path& log, const std::function<fs::path(const char*, int)>&)> plant;
  bool repairable = false;
  std::optional<std::int64_t> position = {};
  std::optional<std::int64_t> offset = {};
};

using files_of = std::function<fs::path(const char*, int)>;
constexpr auto damage = finding_severity::damage;
constexpr auto fault = finding_severity::fault;
constexpr auto note = finding_severity::note;

const std::vector<planted> planted_in_clean_directories = {
    {"a bit of a record", damage, ".log", [](auto&, auto& file) { flip(file(".log", 0), 200); },
     false, 0, 0},
    {"a bit of a checksum in the second segment", damage, ".log",
     [](auto&, auto& file) { flip(file(".log", 1), 17); }, false, 0},
    {"a leader epoch that falls", damage, ".log",
     [](auto&, auto& file) { flip(file(".log", -1), 15); }, false, 0},
    {"a length that reaches past the file", damage, ".log",
     [](auto&, auto& file) { flip(file(".log", 0), 9); }, false, 0, 0},
    {"an old magic", damage, ".log",
     [](auto&, auto& file) {
       std::string content = read(file(".log", 1));
       content[16] = 1;
       write(file(".log", 1), content);
     },
     false, 0},
    {"the base offset of the first batch", damage, ".log",
     [](auto&, auto& file) { flip(file(".log", 0), 7); }, false, 0},
    {"the last batch cut short", damage, ".log",
     [](auto&, auto& file) { cut(file(".log", -1), 7); }},
    {"zeros behind the last batch",
     damage,
     ".log",
     [](auto&, auto& file) { add(file(".log", -1), std::string(200, '\0')); },
     false,
     {},
     26},
    {"garbage behind the last batch",
     damage,
     ".log",
     [](auto&, auto& file) { add(file(".log", -1), std::string(100, 'g')); },
     false,
     {},
     26},
    {"bytes inside a sealed segment gone", damage, ".log",
     [](auto&, auto& file) { cut(file(".log", 0), 5); }},
    {"a segment in the middle missing", damage, ".log",
     [](auto&, auto& file) { fs::remove(file(".log", 1)); }, false, 0},
    {"an offset index of odd size", fault, ".index",
     [](auto&, auto& file) { add(file(".index", 0), "123"); }, true},
    {"a position in the offset index", fault, ".index",
     [](auto&, auto& file) { flip(file(".index", 1), 7); }, true, 0},
    {"an offset in the offset index", fault, ".index",
     [](auto&, auto& file) { flip(file(".index", 1), 3); }, true, 0},
    {"no offset index", fault, ".index", [](auto&, auto& file) { fs::remove(file(".index", 0)); },
     true},
    {"a timestamp in the time index", fault, ".timeindex",
     [](auto&, auto& file) { flip(file(".timeindex", 1), 7); }, true, 0},
    {"a time index without its last entry", fault, ".timeindex",
     [](auto&, auto& file) { cut(file(".timeindex", 1), 12); }, true},
    {"no time index", fault, ".index",
     [](auto&, auto& file) { fs::remove(file(".timeindex", -1)); }, true},
    {"no transaction index", fault, ".txnindex",
     [](auto&, auto& file) { fs::remove(file(".txnindex", 0)); }, true, 0},
    {"a producer in the transaction index", fault, ".txnindex",
     [](auto&, auto& file) { flip(file(".txnindex", 0), 9); }, true, 0},
    {"a checksum of a producer snapshot", fault, ".snapshot",
     [](auto&, auto& file) { flip(file(".snapshot", 0), 3); }, true},
    {"a leader epoch",
     fault,
     "leader-epoch-checkpoint",
     [](auto&, auto& file) { write(file("leader-epoch-checkpoint", 0), "0\n2\n0 0\n3 14\n"); },
     true,
     {},
     12},
    {"no leader epochs",
     fault,
     "leader-epoch-checkpoint",
     [](auto&, auto& file) { fs::remove(file("leader-epoch-checkpoint", 0)); },
     true,
     {},
     0},
    {"a count of leader epochs", fault, "leader-epoch-checkpoint",
     [](auto&, auto& file) { write(file("leader-epoch-checkpoint", 0), "0\n9\n0 0\n"); }, true},
    {"no partition.metadata", fault, "partition.metadata",
     [](auto&, auto& file) { fs::remove(file("partition.metadata", 0)); }},
    {"a recovery point past the end",
     damage,
     "recovery-point-offset-checkpoint",
     [](auto& log, auto&) {
       write(log / "recovery-point-offset-checkpoint", "0\n1\norders 0 27\n");
     },
     false,
     {},
     27},
    {"a high watermark past the end",
     damage,
     "replication-offset-checkpoint",
     [](auto& log, auto&) { write(log / "replication-offset-checkpoint", "0\n1\norders 0 99\n"); },
     false,
     {},
     99},
    {"a recovery point file of half a line", fault, "recovery-point-offset-checkpoint",
     [](auto& log, auto&) { write(log / "recovery-point-offset-checkpoint", "0\n1\norders"); },
     true},
    {"a log start file that is none", damage, "log-start-offset-checkpoint",
     [](auto& log, auto&) { write(log / "log-start-offset-checkpoint", "what"); }},
    {"a log start past the end",
     damage,
     "orders-0",
     [](auto& log, auto&) { write(log / "log-start-offset-checkpoint", "0\n1\norders 0 40\n"); },
     false,
     {},
     40},
    {"meta.properties of another version", damage, "meta.properties",
     [](auto& log, auto&) { write(log / "meta.properties", "version=7\n"); }},
    {"a directory that is no partition", fault, "holiday",
     [](auto& log, auto&) { fs::create_directory(log / "holiday"); }},
    {"a directory in deletion", note, "-delete",
     [](auto& log, auto&) {
       fs::create_directory(log / "old-0.0123456789abcdef0123456789abcdef-delete");
     }},
    {"what a compaction left", note, ".cleaned",
     [](auto&, auto& file) { write(file(".log", 0).string() + ".cleaned", "x"); }},
    {"a file of someone else", note, "notes.txt",
     [](auto& log, auto&) { write(log / "orders-0" / "notes.txt", "x"); }},
};

TEST_F(check_test, EachPlantedDamageIsFoundAndRepairedIfItCanBe) {
  write_log(true);
  const fs::path good = scratch_.path() / "good";
  fs::copy(directory(), good, fs::copy_options::recursive);
  for (const planted& one : planted_in_clean_directories) {
    SCOPED_TRACE(one.name);
    fs::remove_all(directory());
    fs::copy(good, directory(), fs::copy_options::recursive);
    const files_of find = [&](const char* suffix, int number) { return file(suffix, number); };
    one.plant(directory(), find);
    const check_report& report = check(directory());
    const bool found = std::ranges::any_of(report.findings(), [&](const finding& seen) {
      return seen.severity == one.severity && seen.path.ends_with(one.where) &&
             (!one.position || seen.position == one.position) &&
             (!one.offset || seen.offset == offset_t(*one.offset));
    });
    EXPECT_TRUE(found) << text_of(report);
    EXPECT_EQ(report.is_clean(), one.severity == note) << text_of(report);
    EXPECT_EQ(!report.steps().empty(), one.repairable) << text_of(report);
    if (!one.repairable) continue;
    EXPECT_EQ(report.count(damage), 0) << text_of(report);
    repair();
    EXPECT_TRUE(check(directory()).findings().empty()) << text_of(report_);
  }
}

TEST_F(check_test, BehindDamageTheRestIsStillChecked) {
  write_log(true);
  flip(file(".log", 0), 200);
  std::string second = read(file(".log", 1));
  second.insert(0, std::string(50, 'g'));
  write(file(".log", 1), second);
  const check_report& report = check(directory());
  ASSERT_EQ(report.count(damage), 2) << text_of(report);
  EXPECT_NE(report.findings()[0].text.find("goes on at byte"), std::string::npos);
  EXPECT_NE(report.findings()[1].text.find("goes on at byte 50 "), std::string::npos)
      << text_of(report);
  EXPECT_EQ(checked_.at(orders).batches, 13);
  EXPECT_EQ(checked_.at(orders).log_end, offset_t(26));
}

// ---- after a kill

TEST_F(check_test, ATornEndPastTheRecoveryPointIsCut) {
  for (const bool zeros : {false, true}) {
    fs::remove_all(directory());
    write_log(false);
    const auto size = fs::file_size(file(".log", -1));
    if (zeros) add(file(".log", -1), std::string(300, '\0'));
    if (!zeros) add(file(".log", -1), read(file(".log", -1)).substr(0, 90));
    const check_report& report = check(directory());
    ASSERT_EQ(report.count(fault), 1) << text_of(report);
    EXPECT_EQ(report.count(damage), 0) << text_of(report);
    ASSERT_EQ(report.steps().size(), 1U);
    repair();
    EXPECT_EQ(fs::file_size(file(".log", -1)), size);
    EXPECT_TRUE(check(directory()).is_clean()) << text_of(report_);
    start();
    EXPECT_EQ(content().size(), 24U + 2U);
    stop();
    EXPECT_TRUE(check(directory()).findings().empty()) << text_of(report_);
  }
}

TEST_F(check_test, WhatWasOnDiskIsNeverCut) {
  // Our high watermark follows the disk, so what is below it was there as well.
  for (const char* name : {"recovery-point-offset-checkpoint", "replication-offset-checkpoint"}) {
    fs::remove_all(directory());
    write_log(false);
    write(fs::path(directory()) / name, "0\n1\norders 0 26\n");
    cut(file(".log", -1), 7);
    const check_report& report = check(directory());
    EXPECT_EQ(report.count(damage), 2) << name << "\n" << text_of(report);
    EXPECT_TRUE(report.steps().empty());
    EXPECT_NE(text_of(report).find("do so before the next open"), std::string::npos);
  }
  EXPECT_TRUE(check(directory(), false, true).is_clean()) << "the journal may hold it\n"
                                                          << text_of(report_);
  EXPECT_TRUE(report_.steps().empty());
}

TEST_F(check_test, DamageWithGoodBatchesBehindItIsNeverCut) {
  write_log(false);
  flip(file(".log", -1), 70);
  const check_report& report = check(directory());
  EXPECT_EQ(report.count(damage), 1) << text_of(report);
  EXPECT_TRUE(report.steps().empty());
}

TEST_F(check_test, ManyFindingsOfOneFileAreCounted) {
  constexpr int batches = 60;
  start();
  for (int number = 0; number < batches; ++number) append({.value = "value"});
  stop();
  std::string log = read(file(".log", 0));
  const std::size_t size = log.size() / batches;
  for (std::size_t at = 0; at < log.size(); at += 2 * size) log[at + 65] ^= 1;
  write(file(".log", 0), log);
  const check_report& report = check(directory());
  EXPECT_EQ(report.count(damage), batches / 2) << text_of(report);
  EXPECT_EQ(report.left_out(), batches / 2 - findings_per_file_max);
  EXPECT_EQ(checked_.at(orders).batches, batches / 2);
}

// ---- whatever happens to a byte

TEST_F(check_test, AnyChangedByteOfALogIsFoundAndNothingMakesTheCheckFail) {
  write_log(true);
  std::map<std::string, std::string> good;
  for (const std::string& name : files()) good[name] = read(partition() / name);
  seeded_random random(test_seed());
  for (int round = 0; round < 100; ++round) {
    auto chosen = good.begin();
    std::advance(chosen, random.below(good.size()));
    const auto& [name, content] = *chosen;
    if (content.empty()) continue;
    const std::size_t position = random.below(content.size());
    std::string changed = content;
    changed[position] ^= static_cast<char>(1 + random.below(255));
    const bool is_cut = random.below(4) == 0;
    if (is_cut) changed.resize(position);
    write(partition() / name, changed);
    SCOPED_TRACE(fmt::format("{} of {} {}", position, name, is_cut ? "cut" : "changed"));
    check(directory());
    for (const char* suffix : {".log", ".snapshot", ".txnindex"}) {
      if (name.ends_with(suffix)) {
        EXPECT_FALSE(report_.is_clean()) << text_of(report_);
      }
    }
    const bool was_damaged = report_.count(damage) > 0;
    repair();
    if (!was_damaged && name != file_names::partition_metadata) {
      EXPECT_TRUE(check(directory()).is_clean()) << text_of(report_);
    }
    for (const auto& [file, before] : good) write(partition() / file, before);
    for (const std::string& file : files()) {
      if (!good.contains(file)) fs::remove(partition() / file);
    }
  }
}

// ---- Kafka's own

class golden_check_test : public check_test {
 protected:
  const check_report& check_golden(const std::string& which) {
    unpacked_ = std::make_unique<golden::directory>(which);
    report_ = check_report();
    log_directory_check all(disk_, unpacked_->path().string(), report_);
    EXPECT_TRUE(all.read().ok());
    for (const topic_partition& name : all.partitions()) {
      const bool compacted = name.topic.starts_with("__")
                                 ? name != metadata_partition
                                 : name.topic.find("compact") != std::string::npos;
      checked_.emplace(name, check_partition(disk_, all.request_for(name, compacted), report_));
    }
    all.finish(checked_);
    return report_;
  }

  std::unique_ptr<golden::directory> unpacked_;
};

TEST_F(golden_check_test, CleanAndKilledHaveNothingWrong) {
  GOLDEN_OR_SKIP();
  for (const std::string which : {"clean", "killed"}) {
    checked_.clear();
    const check_report& report = check_golden(which);
    EXPECT_TRUE(report.is_clean()) << which << "\n" << text_of(report);
    std::int64_t batches = 0;
    for (const auto& [name, one] : checked_) batches += one.batches;
    std::size_t expected = 0;
    for (const golden::batch& batch : golden::batches(which)) {
      const bool is_read = batch.file.find("-delete/") == std::string::npos;
      expected += batch.file.ends_with(".log") && is_read ? 1 : 0;
    }
    EXPECT_EQ(batches, static_cast<std::int64_t>(expected)) << which;
  }
}

TEST_F(golden_check_test, TornHasWhatWasDoneToItAndIsRepaired) {
  GOLDEN_OR_SKIP();
  const check_report& report = check_golden("torn");
  EXPECT_EQ(report.count(damage), 0) << text_of(report);
  for (const char* wrong :
       {"g.late-0/00000000000000000000.log", "g.leader-epochs-0/00000000000000000000.log",
        "g.idempotent-0/00000000000000000000.log", "g.idempotent-1/00000000000000000000.log"}) {
    EXPECT_TRUE(std::ranges::any_of(
        report.findings(),
        [&](const finding& one) { return one.severity == fault && one.path.ends_with(wrong); }))
        << wrong << "\n"
        << text_of(report);
  }
  EXPECT_TRUE(std::ranges::any_of(report.findings(), [](const finding& one) {
    return one.path.ends_with("g.nulls-0/00000000000000000000.log.cleaned");
  }));
  repair();
  EXPECT_TRUE(check(unpacked_->path().string(), true).is_clean()) << text_of(report_);
}

}  // namespace
}  // namespace ringlog::storage
