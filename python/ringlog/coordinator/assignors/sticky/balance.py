"""Dealing out partitions evenly while moving as few of them as possible (KIP-54)."""

from collections import deque
from typing import NamedTuple


class Claim(NamedTuple):
    """A member's word that it held a partition in a generation."""

    member_id: str
    generation: int


class StickyBalance:
    """One assignment under way. `subscriptions`: {member_id: topics}, in the order that decides
    between equals; `partitions`: all TopicPartitions of the topics; `claims`: {TopicPartition:
    [Claim]}.

    After `run()`: `assigned` is {member_id: set of TopicPartition}. Every partition that somebody
    is subscribed to has one member. No move, and no chain of moves from member to member, would
    make a member with many partitions give to one that has at least two less. A partition stays
    where it was unless balance or a subscription wants otherwise.
    """

    def __init__(self, subscriptions, partitions, claims):
        self._subscribed = {member: set(topics) for member, topics in subscriptions.items()}
        self._subscribers = {}
        for member, topics in subscriptions.items():
            for topic in topics:
                self._subscribers.setdefault(topic, []).append(member)
        self._partitions = [each for each in partitions if each.topic in self._subscribers]
        self._claims = claims
        self._rank = {member: rank for rank, member in enumerate(subscriptions)}
        self._owner = {}
        self.assigned = {member: set() for member in subscriptions}

    def run(self):
        self._keep_what_is_owned()
        self._deal_out_the_rest()
        while chain := self._find_chain():
            self._shift(chain)
        return self.assigned

    def _keep_what_is_owned(self):
        for partition in self._partitions:
            claims = self._claims.get(partition, ())
            latest = max((claim.generation for claim in claims), default=None)
            owners = [claim.member_id for claim in claims if claim.generation == latest]
            if len(owners) == 1 and partition.topic in self._subscribed[owners[0]]:
                self._owner[partition] = owners[0]
                self.assigned[owners[0]].add(partition)

    def _deal_out_the_rest(self):
        """Those with the fewest takers first: the others can make up for them."""
        rest = [partition for partition in self._partitions if partition not in self._owner]
        rest.sort(key=lambda partition: (len(self._subscribers[partition.topic]), partition))
        for partition in rest:
            claimed = {claim.member_id for claim in self._claims.get(partition, ())}
            taker = min(
                self._subscribers[partition.topic],
                key=lambda member: (
                    len(self.assigned[member]),
                    member not in claimed,
                    self._rank[member],
                ),
            )
            self.assigned[taker].add(partition)

    def _find_chain(self):
        """[(giver, taker, topic)] that evens out the most loaded member that can be; or None."""
        least = min((len(held) for held in self.assigned.values()), default=0)
        for member in sorted(self.assigned, key=lambda each: (-self._load(each), self._rank[each])):
            if self._load(member) < least + 2:
                return None
            if chain := self._chain_from(member):
                return chain
        return None

    def _chain_from(self, start):
        """The shortest way to the least loaded member in reach."""
        came_by = {start: None}
        waiting = deque([start])
        best = start
        while waiting:
            giver = waiting.popleft()
            for topic in sorted({partition.topic for partition in self.assigned[giver]}):
                for taker in self._subscribers[topic]:
                    if taker in came_by:
                        continue
                    came_by[taker] = giver, topic
                    waiting.append(taker)
                    if self._load(taker) < self._load(best):
                        best = taker
        if self._load(best) > self._load(start) - 2:
            return None
        chain = []
        while came_by[best] is not None:
            giver, topic = came_by[best]
            chain.append((giver, best, topic))
            best = giver
        return chain

    def _shift(self, chain):
        for giver, taker, topic in chain:
            moved = min(
                (each for each in self.assigned[giver] if each.topic == topic),
                key=lambda each: (self._cost(each, giver, taker), -each.partition),
            )
            self.assigned[giver].remove(moved)
            self.assigned[taker].add(moved)

    def _cost(self, partition, giver, taker):
        """Lowest for what the giver did not hold before, or the taker did."""
        if self._owner.get(partition) == taker:
            return 0
        if self._owner.get(partition) != giver:
            return 1
        claimed = any(claim.member_id == taker for claim in self._claims[partition])
        return 2 if claimed else 3

    def _load(self, member):
        return len(self.assigned[member])
