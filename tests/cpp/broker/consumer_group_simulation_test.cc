#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "broker/shard_fixture.h"
#include "random_seed.h"

// Many members of one consumer group that join, leave, vanish, stall, lose answers and change what
// they read at random, over a shard that is unloaded and loaded again in between.
namespace ringlog::broker {
namespace {

constexpr std::int32_t partition_count = 10;

struct world : shard_world {
  explicit world(std::uint64_t seed) : shard_world(seed) {
    settings.consumer_assignment_interval_ms = random.below(2) == 0 ? 0 : 1'000;
    topics.topics["t"].second = partition_count;
    topics.topics["u"] = {uuid::make_random(random), 3};
    shard = open();
  }

  // What the new shard knows must be what the old one knew and had stored.
  void reload() {
    time.advance_ms(5);
    const auto before = shard->describe_consumer("g");
    shard->unload({error_code::not_coordinator, "moved"});
    shard = open();
    const auto after = shard->describe_consumer("g");
    ASSERT_EQ(before.ok(), after.ok());
    if (!before.ok()) return;
    EXPECT_EQ(before->state, after->state);
    EXPECT_EQ(before->epoch, after->epoch);
    EXPECT_EQ(before->assignment_epoch, after->assignment_epoch);
    ASSERT_EQ(before->members.size(), after->members.size());
    for (std::size_t i = 0; i < before->members.size(); ++i) {
      EXPECT_EQ(before->members[i].member, after->members[i].member);
      EXPECT_EQ(before->members[i].instance, after->members[i].instance);
      EXPECT_EQ(before->members[i].epoch, after->members[i].epoch);
      EXPECT_EQ(before->members[i].topics, after->members[i].topics);
      EXPECT_EQ(before->members[i].assignment, after->members[i].assignment);
      EXPECT_EQ(before->members[i].target, after->members[i].target);
    }
    ++reloads;
  }

  std::shared_ptr<group_shard> shard;
  int answers = 0;
  int changes = 0;
  int refused = 0;
  int reloads = 0;
};

class client : public std::enable_shared_from_this<client> {
 public:
  client(world& where, int number, bool is_static) : world_(where), number_(number) {
    if (is_static) instance_ = "instance-" + std::to_string(number);
  }

  bool is_running() const { return running_; }
  const partitions_by_topic& owned() const { return owned_; }

  void start() {
    running_ = true;
    ++life_;
    member_ = "member-" + std::to_string(number_) + "-" + std::to_string(life_);
    rejoin();
    beat();
  }
  void vanish() {
    running_ = false;
    ++life_;
    owned_.clear();
  }
  void leave() {
    auto request = make_request();
    request.epoch = instance_ ? leaving_for_a_while_epoch : leaving_epoch;
    vanish();
    world_.shard->consumer_heartbeat(std::move(request), [](const auto&) {});
  }
  // Gives nothing back for a while, as a consumer busy with its records.
  // Not longer than it has time to give back.
  void stall() {
    if (world_.time.now() < stalled_until_ + milliseconds(30'000)) return;
    stalled_until_ = world_.time.now() + milliseconds(20'000);
  }
  void lose_next_answer() { loses_next_ = true; }
  void subscribe(std::set<std::string> topics) {
    topics_ = std::move(topics);
    says_all_ = true;
  }

 private:
  void rejoin() {
    epoch_ = joining_epoch;
    owned_.clear();
    assignment_.clear();
    says_all_ = true;
  }

  consumer_heartbeat_request make_request() const {
    consumer_heartbeat_request request;
    request.group = "g";
    request.member = member_;
    request.instance = instance_;
    request.epoch = epoch_;
    request.client_id = "client";
    if (says_all_ || epoch_ == joining_epoch) {
      request.rebalance_timeout_ms = 30'000;
      request.topics.emplace(topics_.begin(), topics_.end());
      request.owned = owned_;
    } else if (says_owned_) {
      request.owned = owned_;
    }
    return request;
  }

  void beat() {
    if (!running_) return;
    give_back();
    auto request = make_request();
    says_all_ = false;
    says_owned_ = false;
    world_.shard->consumer_heartbeat(
        std::move(request), [self = shared_from_this(), life = life_,
                             lost = std::exchange(loses_next_, false)](const auto& answer) {
          if (self->life_ != life) return;
          if (lost) {
            self->says_all_ = true;
          } else {
            self->answered(answer);
          }
        });
    const auto pause = static_cast<std::int64_t>(500 + world_.random.below(2'000));
    world_.time.schedule_at(world_.time.now() + milliseconds(pause),
                            [self = shared_from_this(), life = life_] {
                              if (self->life_ == life) self->beat();
                            });
  }

  void answered(const result<consumer_heartbeat_answer>& answer) {
    if (!answer.ok()) {
      ++world_.refused;
      if (answer.code() == consumer_failures::fenced_member_epoch ||
          answer.code() == error_code::unknown_member_id) {
        return rejoin();
      }
      says_all_ = true;
      return;
    }
    ++world_.answers;
    EXPECT_GE(answer->epoch, epoch_);
    epoch_ = answer->epoch;
    if (!answer->assignment) return;
    ++world_.changes;
    assignment_ = *answer->assignment;
    give_back();
    owned_ = merged(owned_, assignment_);
    says_owned_ = true;
  }

  static partitions_by_topic merged(partitions_by_topic all, const partitions_by_topic& more) {
    for (const auto& [topic, partitions] : more) {
      all[topic].insert(partitions.begin(), partitions.end());
    }
    return all;
  }

  void give_back() {
    if (world_.time.now() < stalled_until_) return;
    const partitions_by_topic before = owned_;
    for (auto& [topic, partitions] : owned_) {
      std::erase_if(partitions, [&, &id = topic](std::int32_t partition) {
        const auto kept = assignment_.find(id);
        return kept == assignment_.end() || !kept->second.contains(partition);
      });
    }
    std::erase_if(owned_, [](const auto& entry) { return entry.second.empty(); });
    if (owned_ != before) says_owned_ = true;
  }

  world& world_;
  const int number_;
  std::optional<std::string> instance_;
  bool running_ = false;
  int life_ = 0;
  std::string member_;
  std::int32_t epoch_ = joining_epoch;
  std::set<std::string> topics_ = {"t"};
  partitions_by_topic assignment_;
  partitions_by_topic owned_;
  bool says_all_ = true;
  bool says_owned_ = false;
  bool loses_next_ = false;
  monotonic_time stalled_until_;
};

using clients = std::vector<std::shared_ptr<client>>;

std::size_t check_disjoint(const clients& all) {
  std::set<std::pair<uuid, std::int32_t>> seen;
  for (const auto& one : all) {
    for (const auto& [topic, partitions] : one->owned()) {
      for (const std::int32_t partition : partitions) {
        EXPECT_TRUE(seen.emplace(topic, partition).second) << "partition " << partition;
      }
    }
  }
  return seen.size();
}

void act(client& chosen, seeded_random& dice, world& where) {
  switch (dice.below(12)) {
    case 0:
      if (chosen.is_running()) chosen.leave();
      break;
    case 1:
      chosen.vanish();
      break;
    case 2:
    case 3:
    case 4:
      if (!chosen.is_running()) chosen.start();
      break;
    case 5:
      chosen.stall();
      break;
    case 6:
      chosen.lose_next_answer();
      break;
    case 7:
      chosen.subscribe(dice.one_in(2) ? std::set<std::string>{"t"}
                                      : std::set<std::string>{"t", "u"});
      break;
    case 8:
      if (dice.one_in(10)) where.reload();
      break;
    default:
      break;
  }
}

TEST(consumer_group_simulation, members_come_and_go) {
  seeded_random dice(test_seed());
  world seen(dice.next());
  clients all;
  for (int i = 0; i < 9; ++i) all.push_back(std::make_shared<client>(seen, i, i >= 6));
  for (int step = 0; step < 2'000 && !testing::Test::HasFailure(); ++step) {
    act(*all[dice.below(all.size())], dice, seen);
    for (auto left = static_cast<std::int64_t>(dice.below(1'500)); left > 0; left -= 100) {
      seen.time.advance_ms(std::min<std::int64_t>(left, 100));
      check_disjoint(all);
    }
    if (dice.one_in(100)) seen.time.advance_ms(50'000);  // who vanished is out
  }
  // Left alone, those who run share all partitions.
  for (const auto& one : all) {
    if (!one->is_running()) one->start();
    one->subscribe({"t", "u"});
  }
  seen.time.advance_ms(150'000);
  EXPECT_EQ(check_disjoint(all), static_cast<std::size_t>(partition_count + 3));
  const auto last = seen.shard->describe_consumer("g").value();
  EXPECT_EQ(last.state, "Stable");
  EXPECT_EQ(last.members.size(), all.size());
  seen.reload();
  std::printf("epoch %d answers %d changes %d refused %d reloads %d\n", last.epoch, seen.answers,
              seen.changes, seen.refused, seen.reloads);
  EXPECT_GT(seen.changes, 200);
  EXPECT_GT(seen.refused, 0);
  EXPECT_GT(seen.reloads, 0);
}

}  // namespace
}  // namespace ringlog::broker
