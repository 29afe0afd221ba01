#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "broker/shard_fixture.h"
#include "random_seed.h"

// Many members of one group that join, leave, vanish, come back and commit at random, over a shard
// that is unloaded and loaded again in between.
namespace ringlog::broker {
namespace {

constexpr std::int32_t partition_count = 12;

struct world : shard_world {
  explicit world(std::uint64_t seed) : shard_world(seed) {
    topics.topics["t"].second = partition_count;
    shard = open();
  }

  void reload() {
    shard->unload({error_code::not_coordinator, "moved"});
    shard = open();
    // A generation whose assignments were not stored is forgotten, and its number used again.
    const std::int32_t stored = owned.empty() ? 0 : owned.rbegin()->first;
    leader_of.erase(leader_of.upper_bound(stored), leader_of.end());
    ++reloads;
  }

  std::shared_ptr<group_shard> shard;

  // What the members have seen.
  std::map<std::int32_t, std::string> leader_of;                       // by generation
  std::map<std::int32_t, std::map<std::string, std::set<int>>> owned;  // generation, member
  std::map<std::int32_t, std::int64_t> committed;                      // by partition
  int assignments = 0;
  int commits = 0;
  int refused_commits = 0;
  int reloads = 0;
};

// A client of the group as kafka clients behave: joins, syncs, sends heartbeats, joins again when
// told. Every generation it is in is checked.
class client : public std::enable_shared_from_this<client> {
 public:
  client(world& where, int number, bool is_static) : world_(where), number_(number) {
    if (is_static) instance_ = "instance-" + std::to_string(number);
  }

  void start() {
    running_ = true;
    ++incarnation_;
    member_.clear();
    join();
  }
  // Stops without a word.
  void vanish() {
    running_ = false;
    ++incarnation_;
  }
  void leave() {
    if (running_ && !member_.empty() && !instance_) {
      world_.shard->leave("g", {{member_, std::nullopt, ""}}, [](const auto& left) {
        if (left.ok() && left->at(0)) {
          EXPECT_EQ(left->at(0)->code, error_code::unknown_member_id);
        }
      });
    }
    vanish();
  }
  bool is_running() const { return running_; }

  // Also those that have stopped try: they do not know that they are out.
  void commit() {
    if (generation_ < 0 || assigned_.empty()) return;
    const int partition = *assigned_.begin();
    const std::int64_t offset = ++world_.committed[partition];
    const std::int32_t newest = world_.leader_of.empty() ? 0 : world_.leader_of.rbegin()->first;
    world_.shard->commit(
        {"g", generation_, member_, instance_},
        {{partition_of_t(partition), world_.offset(offset)}},
        [self = shared_from_this(), generation = generation_, newest](const status& done) {
          ++(done.ok() ? self->world_.commits : self->world_.refused_commits);
          if (done.ok()) {
            EXPECT_GE(generation, newest);
          }
        });
  }

 private:
  // Runs `work` unless the client was stopped meanwhile.
  template <typename Work>
  void later(std::int64_t ms, Work work) {
    world_.time.schedule_at(world_.time.now() + milliseconds(ms),
                            [self = shared_from_this(), now = incarnation_, work] {
                              if (self->incarnation_ == now) work(*self);
                            });
  }

  void join() {
    generation_ = -1;
    assigned_.clear();
    join_group_request request;
    request.group = "g";
    request.member = member_;
    request.instance = instance_;
    request.client_id = "client-" + std::to_string(number_);
    request.protocol_type = "test";
    request.protocols = {{"p", {}}, {number_ % 2 == 0 ? "even" : "odd", {}}};
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 20'000;
    request.member_id_required = number_ % 3 == 0;
    world_.shard->join(
        request, [self = shared_from_this(), now = incarnation_](result<join_group_answer> answer) {
          if (self->incarnation_ == now) self->joined(answer);
        });
  }

  void joined(const result<join_group_answer>& answer) {
    if (!answer.ok()) {
      if (answer.code() == error_code::unknown_member_id ||
          answer.code() == error_code::fenced_instance_id) {
        member_.clear();
      }
      return later(100, [](client& self) { self.join(); });
    }
    member_ = answer->member;
    if (answer->member_id_required) return join();
    generation_ = answer->generation;
    EXPECT_EQ(answer->protocol, "p");  // the only one that all have
    const auto [known, is_new] = world_.leader_of.try_emplace(generation_, answer->leader);
    if (!is_new && known->second != answer->leader) {
      // Only the same static member under its new id may lead the same generation.
      EXPECT_TRUE(answer->leader.starts_with("instance-"));
      known->second = answer->leader;
    }
    sync_group_request request;
    request.group = "g";
    request.generation = generation_;
    request.member = member_;
    request.instance = instance_;
    if (answer->leader == member_ && !answer->skip_assignment) {
      for (std::size_t i = 0; i < answer->members.size(); ++i) {
        byte_buffer mine;
        for (int p = 0; p < partition_count; ++p) {
          if (static_cast<std::size_t>(p) % answer->members.size() == i) {
            mine.push_back(static_cast<std::byte>(p));
          }
        }
        request.assignments.push_back({answer->members[i].member, mine});
      }
    }
    world_.shard->sync(
        request, [self = shared_from_this(), now = incarnation_](result<sync_group_answer> synced) {
          if (self->incarnation_ == now) self->synced(synced);
        });
  }

  void synced(const result<sync_group_answer>& answer) {
    if (!answer.ok()) {
      if (answer.code() == error_code::unknown_member_id ||
          answer.code() == error_code::fenced_instance_id) {
        member_.clear();
      }
      return later(50, [](client& self) { self.join(); });
    }
    std::set<int>& mine = world_.owned[generation_][instance_.value_or(member_)];
    for (const std::byte partition : answer->assignment) {
      assigned_.insert(static_cast<int>(partition));
    }
    mine = assigned_;
    ++world_.assignments;
    beat_later();
  }

  void beat_later() {
    later(1'000, [](client& self) {
      const status alive =
          self.world_.shard->heartbeat({"g", self.generation_, self.member_, self.instance_});
      if (alive.ok()) return self.beat_later();
      if (alive.code() == error_code::unknown_member_id ||
          alive.code() == error_code::fenced_instance_id) {
        self.member_.clear();
      }
      self.join();
    });
  }

  world& world_;
  const int number_;
  std::optional<std::string> instance_;
  bool running_ = false;
  int incarnation_ = 0;
  std::string member_;
  std::int32_t generation_ = -1;
  std::set<int> assigned_;
};

// Nobody shares a partition with another member of the same generation.
void check_disjoint(const world& seen) {
  for (const auto& [generation, members] : seen.owned) {
    std::set<int> all;
    std::size_t sum = 0;
    for (const auto& [member, partitions] : members) {
      all.insert(partitions.begin(), partitions.end());
      sum += partitions.size();
    }
    EXPECT_EQ(all.size(), sum) << "generation " << generation;
  }
}

TEST(group_simulation, members_come_and_go) {
  seeded_random dice(test_seed());
  world seen(dice.next());
  std::vector<std::shared_ptr<client>> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(std::make_shared<client>(seen, i, i >= 9));

  for (int step = 0; step < 2'000; ++step) {
    client& chosen = *clients[dice.below(clients.size())];
    switch (dice.below(8)) {
      case 0:
        chosen.leave();
        break;
      case 1:
        chosen.vanish();
        break;
      case 2:
      case 3:
        if (!chosen.is_running()) chosen.start();
        break;
      case 4:
        if (dice.one_in(20)) seen.reload();
        break;
      default:
        chosen.commit();
        break;
    }
    seen.time.advance_ms(static_cast<std::int64_t>(dice.below(dice.one_in(10) ? 15'000 : 1'500)));
  }
  // Left alone, those who run share all partitions in one generation.
  for (const auto& one : clients) {
    if (!one->is_running()) one->start();
  }
  seen.time.advance_ms(120'000);
  check_disjoint(seen);
  const described_group last = seen.shard->describe("g").value();
  EXPECT_EQ(last.state, "Stable");
  EXPECT_EQ(last.members.size(), clients.size());
  std::size_t assigned = 0;
  for (const described_member& member : last.members) assigned += member.assignment.size();
  EXPECT_EQ(assigned, static_cast<std::size_t>(partition_count));

  const auto before =
      seen.shard->fetch_offsets({"g", std::nullopt, true, std::nullopt, -1}).value();
  seen.reload();
  const auto after = seen.shard->fetch_offsets({"g", std::nullopt, true, std::nullopt, -1}).value();
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].second->offset, after[i].second->offset);
  }
  EXPECT_EQ(seen.shard->describe("g")->members.size(), clients.size());

  std::printf("generations %d assignments %d commits %d refused %d reloads %d\n",
              seen.leader_of.rbegin()->first, seen.assignments, seen.commits, seen.refused_commits,
              seen.reloads);
  EXPECT_GT(seen.assignments, 200);
  EXPECT_GT(seen.commits, 20);
  EXPECT_GT(seen.refused_commits, 0);
  EXPECT_GT(seen.reloads, 0);
}

}  // namespace
}  // namespace ringlog::broker
