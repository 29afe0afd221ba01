"""Listeners that are told which partitions a consumer loses and gets."""

import asyncio
from abc import ABC, abstractmethod


class ConsumerRebalanceListener(ABC):
    """Called inside poll(), iteration, unsubscribe() and close(), in their thread; an exception
    comes out of them.

    Each is given a set of TopicPartition.
    """

    @abstractmethod
    def on_partitions_revoked(self, revoked):
        """Before the partitions go to another member; `consumer.commit()` is still possible."""

    @abstractmethod
    def on_partitions_assigned(self, assigned):
        """After a rebalance, before the first record; `consumer.seek()` is possible."""

    def on_partitions_lost(self, lost):
        """The partitions are another member's already."""
        self.on_partitions_revoked(lost)


class AsyncConsumerRebalanceListener(ABC):
    """The same with coroutine functions; each call is run to its end in a new event loop."""

    @abstractmethod
    async def on_partitions_revoked(self, revoked):
        pass

    @abstractmethod
    async def on_partitions_assigned(self, assigned):
        pass

    async def on_partitions_lost(self, lost):
        await self.on_partitions_revoked(lost)


def as_functions(listener):
    """(revoked, assigned, lost): functions of a list of TopicPartition."""
    called = (
        listener.on_partitions_revoked,
        listener.on_partitions_assigned,
        listener.on_partitions_lost,
    )
    if isinstance(listener, AsyncConsumerRebalanceListener):
        return tuple(
            lambda partitions, call=call: asyncio.run(call(set(partitions))) for call in called
        )
    return tuple(lambda partitions, call=call: call(set(partitions)) for call in called)
