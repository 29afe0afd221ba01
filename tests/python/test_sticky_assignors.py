"""The sticky assignors by what they promise: all partitions dealt out, evenly, with few moves."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from ringlog.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from ringlog.coordinator.assignors.sticky.balance import Claim, StickyBalance
from ringlog.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from ringlog.coordinator.assignors.sticky.user_data import StickyAssignorUserData
from ringlog.coordinator.protocol import (
    ConsumerProtocolAssignment,
    ConsumerProtocolSubscription,
    by_topic,
)
from ringlog.structs import TopicPartition

TOPICS = ("t0", "t1", "t2", "t3")

subscriptions = st.dictionaries(
    st.sampled_from("abcdef"), st.sets(st.sampled_from(TOPICS), min_size=1), min_size=1
).map(lambda drawn: {member: sorted(topics) for member, topics in sorted(drawn.items())})
partition_counts = st.fixed_dictionaries({topic: st.integers(0, 9) for topic in TOPICS})


def partitions(counts):
    return [TopicPartition(topic, number) for topic in counts for number in range(counts[topic])]


def balance(subscribed, counts, claims=None):
    return StickyBalance(subscribed, partitions(counts), claims or {}).run()


def claims_of(assigned, generation=1):
    return {
        partition: [Claim(member, generation)]
        for member, held in assigned.items()
        for partition in held
    }


def check_valid(subscribed, counts, assigned):
    """Every partition with a subscriber has one owner, who is subscribed to it."""
    wanted = {topic for topics in subscribed.values() for topic in topics}
    dealt_out = [partition for held in assigned.values() for partition in held]
    assert sorted(dealt_out) == sorted(each for each in partitions(counts) if each.topic in wanted)
    assert all(
        each.topic in subscribed[member] for member, held in assigned.items() for each in held
    )


def check_even(subscribed, assigned):
    """Nobody holds a topic that a member with two partitions less would take (KIP-54)."""
    for giver, held in assigned.items():
        for taker, others in assigned.items():
            if len(others) <= len(held) - 2:
                assert not {each.topic for each in held} & set(subscribed[taker]), (giver, taker)


@given(subscriptions, partition_counts)
def test_is_whole_and_even(subscribed, counts):
    assigned = balance(subscribed, counts)
    check_valid(subscribed, counts, assigned)
    check_even(subscribed, assigned)


@given(subscriptions, partition_counts)
def test_nothing_moves_when_nothing_changed(subscribed, counts):
    assigned = balance(subscribed, counts)
    assert balance(subscribed, counts, claims_of(assigned)) == assigned


@given(subscriptions, partition_counts, st.data())
def test_survivors_keep_what_they_hold(subscribed, counts, data):
    gone = data.draw(st.sampled_from(sorted(subscribed)))
    before = balance(subscribed, counts)
    rest = {member: topics for member, topics in subscribed.items() if member != gone}
    after = balance(rest, counts, {p: c for p, c in claims_of(before).items() if c[0][0] != gone})
    check_valid(rest, counts, after)
    check_even(rest, after)
    if len(set(map(tuple, subscribed.values()))) == 1:
        assert all(before[member] <= after[member] for member in rest)


@given(st.integers(1, 6), st.integers(1, 40))
def test_a_newcomer_gets_its_share_and_no_more_moves(members, count):
    names = [f"m{number}" for number in range(members)]
    before = balance({name: ["t0"] for name in names}, {"t0": count})
    after = balance({name: ["t0"] for name in [*names, "new"]}, {"t0": count}, claims_of(before))
    check_even({name: ["t0"] for name in after}, after)
    assert len(after["new"]) == count // (members + 1)
    assert all(after[name] <= before[name] for name in names)


@given(subscriptions, partition_counts, subscriptions, partition_counts)
def test_any_past_gives_a_whole_and_even_present(subscribed, counts, earlier, earlier_counts):
    past = claims_of(balance(earlier, earlier_counts))
    claims = {each: told for each, told in past.items() if told[0].member_id in subscribed}
    assigned = balance(subscribed, counts, claims)
    check_valid(subscribed, counts, assigned)
    check_even(subscribed, assigned)


def test_of_two_claims_the_later_generation_counts():
    [partition] = partitions({"t0": 1})
    claims = {partition: [Claim("a", 3), Claim("b", 4)]}
    assert balance({"a": ["t0"], "b": ["t0"]}, {"t0": 1}, claims) == {"a": set(), "b": {partition}}


def test_evens_out_along_a_chain():
    subscribed = {"a": ["t0"], "b": ["t0", "t1"], "c": ["t1"]}
    claims = claims_of(
        {
            "a": {TopicPartition("t0", number) for number in range(3)},
            "b": {TopicPartition("t1", 0), TopicPartition("t1", 1)},
            "c": {TopicPartition("t1", 2)},
        }
    )
    assigned = balance(subscribed, {"t0": 3, "t1": 3}, claims)
    assert sorted(map(len, assigned.values())) == [2, 2, 2]


class Cluster:
    def __init__(self, counts):
        self._counts = counts

    def partitions_for_topic(self, topic):
        return set(range(self._counts[topic])) if topic in self._counts else None


class Group:
    """Members with an assignor each, over the bytes that a broker would carry."""

    def __init__(self, kind):
        self.kind = kind
        self.members = {}
        self.held = {}
        self.generation = 0

    def join(self, name, *topics):
        self.members[name] = (self.kind(), topics)
        self.held[name] = []

    def leave(self, name):
        del self.members[name], self.held[name]

    def rebalance(self, counts):
        """{name: [TopicPartition]} of what each member may read now."""
        joined = []
        for name, (assignor, topics) in self.members.items():
            subscription = assignor.metadata(set(topics))
            if self.kind is CooperativeStickyAssignor:
                subscription.owned_partitions = by_topic(self.held[name])
                subscription.generation_id = self.generation
            joined.append(
                SimpleNamespace(
                    member_id=name,
                    group_instance_id=None,
                    metadata=ConsumerProtocolSubscription.decode(subscription.encode()),
                )
            )
        self.generation += 1
        leader, _ = next(iter(self.members.values()))
        shares = leader.assign(Cluster(counts), joined)
        for name, (assignor, _) in self.members.items():
            share = ConsumerProtocolAssignment.decode(shares[name].encode())
            assignor.on_assignment(share, self.generation)
            self.held[name] = sorted(share.partitions())
        return dict(self.held)


def test_sticky_members_tell_what_they_held():
    group = Group(StickyPartitionAssignor)
    for name in "abc":
        group.join(name, "t0")
    before = group.rebalance({"t0": 9})
    group.leave("b")
    group.join("d", "t0")
    after = group.rebalance({"t0": 9})
    assert after["a"] == before["a"] and after["c"] == before["c"]
    assert after["d"] == before["b"]


def test_cooperative_never_gives_away_what_is_still_held():
    group = Group(CooperativeStickyAssignor)
    group.join("a", "t0")
    first = group.rebalance({"t0": 4})
    assert len(first["a"]) == 4
    group.join("b", "t0")
    second = group.rebalance({"t0": 4})
    assert second["b"] == [] and len(second["a"]) == 2  # two are nobody's now
    third = group.rebalance({"t0": 4})
    assert third["a"] == second["a"]
    assert sorted(third["a"] + third["b"]) == first["a"]


def test_user_data_of_another_version_or_of_nobody():
    whole = StickyAssignorUserData([("t0", [1, 2])], 7)
    assert StickyAssignorUserData.decode(whole.encode()) == whole
    assert StickyAssignorUserData.decode(whole.encode()[:-4]).generation == -1  # version 0
    assert StickyAssignorUserData.decode(b"something else") == StickyAssignorUserData()
