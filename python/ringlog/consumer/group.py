import math
import re
from collections.abc import Iterable, Mapping

from ringlog import _native, config, errors, serializer
from ringlog.consumer.subscription_state import (
    AsyncConsumerRebalanceListener,
    ConsumerRebalanceListener,
    as_functions,
)
from ringlog.enums import IsolationLevel
from ringlog.future import Future
from ringlog.structs import (
    ConsumerGroupMetadata,
    MemberState,
    OffsetAndMetadata,
    OffsetAndTimestamp,
    SubscriptionPattern,
    TopicPartition,
)

_PASSED_ON = (
    "client_rack",
    "group_id",
    "group_instance_id",
    "group_protocol",
    "group_remote_assignor",
    "auto_offset_reset",
    "enable_auto_commit",
    "auto_commit_interval_ms",
    "fetch_max_wait_ms",
    "fetch_min_bytes",
    "fetch_max_bytes",
    "max_partition_fetch_bytes",
    "max_poll_records",
    "max_poll_interval_ms",
    "session_timeout_ms",
    "heartbeat_interval_ms",
    "request_timeout_ms",
    "default_api_timeout_ms",
    "retry_backoff_ms",
    "check_crcs",
    "allow_auto_create_topics",
)


class PartitionNumber(int):
    """A partition's number that knows its topic: stands where a TopicPartition is wanted."""

    def __new__(cls, topic, number):
        made = super().__new__(cls, number)
        made.topic = topic
        return made

    def __reduce__(self):
        return int, (int(self),)


class KafkaConsumer(_native.Consumer):
    """Reads records; used by one thread at a time.

    `KafkaConsumer(*topics, **options)` subscribes to the topics. Options are those of kafka-python
    (`ringlog.config`). Iterating gives ConsumerRecords and ends `consumer_timeout_ms` after the
    last. Methods that live in the core:

    - `poll(timeout_ms=0, max_records=None)` -> {TopicPartition: [ConsumerRecord]};
    - `assignment()`, `subscription()`, `paused()` -> sets; `unsubscribe()`;
    - `wakeup()`, from any thread: ends a wait of another with WakeupError; `bootstrap_connected()`.

    Timeouts are in ms; None means `default_api_timeout_ms`. `config` (dict) holds the options in
    force.
    """

    DEFAULT_CONFIG = config.defaults("KafkaConsumer")

    def __init__(self, *topics, **configs):
        options, log = config.parse("KafkaConsumer", configs)
        config.check_consumer(options, configs)
        self.config = options
        key_deserializer, key_arity = serializer.as_function(
            options["key_deserializer"], "deserialize", "key_deserializer"
        )
        value_deserializer, value_arity = serializer.as_function(
            options["value_deserializer"], "deserialize", "value_deserializer"
        )
        timeout_ms = options["consumer_timeout_ms"]
        super().__init__(
            {
                **config.opening(options, log),
                "client_id": options["client_id"] or "ringlog",
                "consumer_timeout_ms": None if timeout_ms == math.inf else timeout_ms,
                "isolation_level": IsolationLevel.value_for(options["isolation_level"]),
                "assignors": [
                    assignor if isinstance(assignor, str) else assignor.name
                    for assignor in options["partition_assignment_strategy"]
                ],
                "key_deserializer": key_deserializer,
                "key_deserializer_arity": key_arity,
                "value_deserializer": value_deserializer,
                "value_deserializer_arity": value_arity,
                **{name: options[name] for name in _PASSED_ON},
            }
        )
        if topics:
            self.subscribe(topics)

    # Which partitions

    def subscribe(self, topics=(), pattern=None, listener=None):
        """Topics by name, or by a regular expression that a name matches from its start.

        A `SubscriptionPattern` is matched by the broker, against whole names (needs
        group_protocol='consumer').
        `listener`: a ConsumerRebalanceListener. Replaces an earlier subscription.
        """
        if isinstance(topics, (str, bytes)) or not all(isinstance(topic, str) for topic in topics):
            raise errors.InvalidArgumentTypeError(f"topics={topics!r}: a list of names is wanted")
        if bool(topics) == (pattern is not None):
            raise errors.IllegalStateError("subscribe() takes either topics or a pattern")
        if listener is not None and not isinstance(
            listener, (ConsumerRebalanceListener, AsyncConsumerRebalanceListener)
        ):
            raise errors.InvalidArgumentTypeError(
                f"listener={listener!r}: a ConsumerRebalanceListener is wanted"
            )
        if self.subscription() is None and self.assignment():
            raise errors.IllegalStateError("partitions were assigned by hand: unsubscribe() first")
        self.set_rebalance_listener(*(as_functions(listener) if listener else (None, None, None)))
        if pattern is None:
            super().subscribe(list(topics))
        elif isinstance(pattern, SubscriptionPattern):
            super().subscribe_to_expression(pattern.pattern)
        else:
            self.set_topic_filter(self._topic_filter(pattern))

    def _topic_filter(self, pattern):
        matches = re.compile(pattern).match
        internal_too = not self.config["exclude_internal_topics"]
        return lambda topics: [
            name for name in topics if matches(name) and (internal_too or not name.startswith("__"))
        ]

    def assign(self, partitions):
        """Exactly these TopicPartitions, without the group's rebalancing; [] ends it."""
        partitions = _topic_partitions(partitions)
        if self.subscription() is not None and partitions:
            raise errors.IllegalStateError("topics are subscribed to: unsubscribe() first")
        if partitions:
            super().assign(partitions)
        else:
            self.unsubscribe()

    # Positions

    def seek(self, partition, offset):
        """The next record of `partition` is the one at `offset`."""
        if isinstance(offset, bool) or not isinstance(offset, int):
            raise errors.InvalidArgumentTypeError(f"offset={offset!r}: a number is wanted")
        if offset < 0:
            raise errors.InvalidArgumentValueError(f"offset={offset}: 0 or more is possible")
        super().seek(_topic_partition(partition), offset)

    def seek_to_beginning(self, *partitions):
        super().seek_to_beginning(self._these_or_assigned(partitions))

    def seek_to_end(self, *partitions):
        super().seek_to_end(self._these_or_assigned(partitions))

    def position(self, partition: TopicPartition, timeout_ms: int | None = None) -> int:
        """The offset of the next record of an assigned partition."""
        return super().position(_topic_partition(partition), self._timeout_ms(timeout_ms))

    def highwater(self, partition):
        """The end of an assigned partition as the last fetch saw it, or None."""
        return super().highwater(_topic_partition(partition))

    def pause(self, *partitions):
        super().pause(_topic_partitions(partitions))

    def resume(self, *partitions):
        super().resume(_topic_partitions(partitions))

    # Commits

    def commit(self, offsets=None, timeout_ms=None):
        """Commits {TopicPartition: OffsetAndMetadata}; None: after the records handed out."""
        self._check_group()
        super().commit(_offsets(offsets), self._timeout_ms(timeout_ms))

    def commit_async(self, offsets=None, callback=None):
        """The same without waiting: a future, and `callback(offsets, exception or None)`."""
        self._check_group()
        future = Future()
        callback = callback or self.config["default_offset_commit_callback"]

        def done(committed, error):
            if error is None:
                future.success(committed)
            else:
                future.failure(error)
            callback(committed, error)

        super().commit_async(_offsets(offsets), done)
        return future

    def committed(self, partition, metadata=False, timeout_ms=None):
        """The group's committed offset, or None; with `metadata` the whole OffsetAndMetadata."""
        self._check_group()
        found = super().committed(_topic_partition(partition), self._timeout_ms(timeout_ms))
        return found if metadata or found is None else found.offset

    # Look-ups

    def beginning_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: int | None = None
    ) -> dict[TopicPartition, int]:
        """{TopicPartition: offset of the first record}."""
        return super().beginning_offsets(
            _topic_partitions(partitions), self._timeout_ms(timeout_ms)
        )

    def end_offsets(
        self, partitions: Iterable[TopicPartition | PartitionNumber], timeout_ms: int | None = None
    ) -> dict[TopicPartition, int]:
        """{TopicPartition: offset after the last record}; takes `partitions_for_topic()`, too."""
        return super().end_offsets(_topic_partitions(partitions), self._timeout_ms(timeout_ms))

    def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int], timeout_ms: int | None = None
    ) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        """{TopicPartition: ms} to {TopicPartition: OffsetAndTimestamp from then on, or None}."""
        wanted = {
            _topic_partition(partition): int(timestamp)
            for partition, timestamp in timestamps.items()
        }
        if any(timestamp < 0 for timestamp in wanted.values()):
            raise errors.InvalidArgumentValueError(
                f"timestamps={timestamps!r}: ms since 1970, 0 or more, are possible"
            )
        return super().offsets_for_times(wanted, self._timeout_ms(timeout_ms))

    def partitions_for_topic(self, topic, timeout_ms=None):
        """Set of partition numbers; empty for a topic that is not there."""
        return {PartitionNumber(topic, number) for number in super().partitions_for_topic(topic)}

    def topics(self, timeout_ms=None):
        """Set of the names of all topics but internal ones."""
        return super().topics()

    def group_metadata(self):
        """ConsumerGroupMetadata: who this consumer is in its group now."""
        _, generation_id, member_id, group_instance_id = super().group_metadata()
        state = MemberState.STABLE if generation_id >= 0 else MemberState.UNJOINED
        return ConsumerGroupMetadata(
            self.config["group_id"], generation_id, member_id, group_instance_id, state
        )

    # Lifetime

    def bootstrap(self, timeout_ms=None, refresh=False):
        """Returns at once: an embedded log is open when the consumer is made."""

    def close(self, autocommit=True, timeout_ms=None):
        """Commits (enable_auto_commit and `autocommit`), leaves the group, ends iteration."""
        super().close(bool(autocommit), self._timeout_ms(timeout_ms))

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        self.close(autocommit=exc_type is None)

    def _check_group(self):
        if self.config["group_id"] is None:
            raise errors.IllegalStateError("this consumer has no group: give it a group_id")

    def _timeout_ms(self, timeout_ms):
        return self.config["default_api_timeout_ms"] if timeout_ms is None else int(timeout_ms)

    def _these_or_assigned(self, partitions):
        return _topic_partitions(partitions) if partitions else list(self.assignment())


def _topic_partition(given):
    if isinstance(given, PartitionNumber):
        return TopicPartition(given.topic, int(given))
    if (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and isinstance(given[1], int)
    ):
        return TopicPartition(*given)
    raise errors.InvalidArgumentTypeError(f"{given!r} is no TopicPartition(topic, partition)")


def _topic_partitions(given):
    if isinstance(given, (str, TopicPartition)):
        raise errors.InvalidArgumentTypeError(f"{given!r}: a list of TopicPartition is wanted")
    return [_topic_partition(partition) for partition in given]


def _offsets(given):
    if given is None:
        return None
    return {
        _topic_partition(partition): _offset_and_metadata(offset)
        for partition, offset in given.items()
    }


def _offset_and_metadata(given):
    if isinstance(given, int):
        return OffsetAndMetadata(given)
    if not isinstance(given, tuple) or not isinstance(given[0], int):
        raise errors.InvalidArgumentTypeError(
            f"{given!r} is no OffsetAndMetadata(offset, metadata, leader_epoch)"
        )
    offset, metadata, leader_epoch = OffsetAndMetadata(*given)
    return OffsetAndMetadata(offset, metadata or "", -1 if leader_epoch is None else leader_epoch)
