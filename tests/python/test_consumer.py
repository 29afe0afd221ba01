import pickle
import threading
import time

import pytest
from conftest import START_MS, produce, rest
from ringlog import (
    Deserializer,
    JsonSerializer,
    KafkaConsumer,
    KafkaProducer,
    OffsetAndMetadata,
    TopicPartition,
    errors,
)
from ringlog.admin import KafkaAdminClient, NewTopic
from ringlog.consumer.fetcher import ConsumerRecord
from ringlog.structs import MemberState, OffsetAndTimestamp

T0 = TopicPartition("t", 0)
T1 = TopicPartition("t", 1)
FIELDS = (
    "topic", "partition", "leader_epoch", "offset", "timestamp", "timestamp_type", "key", "value",
    "headers", "checksum", "serialized_key_size", "serialized_value_size", "serialized_header_size",
)  # fmt: skip


def fill(address, count=10, partitions=1, topic="t"):
    """Values "0", "1", ... in turn over the partitions, from START_MS on, 10 ms apart."""
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        admin.create_topics([NewTopic(topic, partitions, 1)])
    with KafkaProducer(bootstrap_servers=address) as producer:
        for number in range(count):
            producer.send(
                topic,
                str(number).encode(),
                partition=number % partitions,
                timestamp_ms=START_MS + 10 * number,
            )


@pytest.fixture
def consume(anywhere):
    """Makes consumers of the test's log that are closed when it ends."""
    made = []

    def make(*topics, **options):
        options = {"auto_offset_reset": "earliest", "consumer_timeout_ms": 300, **options}
        made.append(KafkaConsumer(*topics, bootstrap_servers=anywhere, **options))
        return made[-1]

    yield make
    for consumer in made:
        consumer.close()


def values(records):
    return [int(record.value) for record in records]


# --- records --------------------------------------------------------------------------------------


def test_a_record_is_a_tuple(anywhere, consume):
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "t", b"value", key=b"key", headers=[("h", b"1")], timestamp_ms=START_MS)
    record = next(consume("t"))
    assert isinstance(record, ConsumerRecord) and ConsumerRecord._fields == FIELDS
    wanted = ("t", 0, record.leader_epoch, 0, START_MS, 0, b"key", b"value", [("h", b"1")], None)
    assert tuple(record)[:10] == wanted and tuple(record)[10:12] == (3, 5) and len(record) == 13
    assert record[3] == record.offset and record[-1] == record.serialized_header_size
    topic, partition, *_ = record
    assert (topic, partition) == ("t", 0)
    assert record._asdict() == dict(zip(FIELDS, record, strict=True))
    assert record == tuple(record) and record == ConsumerRecord(*record)
    assert record._replace(offset=5).offset == 5 and record != record._replace(offset=5)
    assert pickle.loads(pickle.dumps(record)) == record
    assert repr(record).startswith("ConsumerRecord(topic='t', partition=0, ")
    assert "value=b'value'" in repr(record)


def test_sizes_of_what_is_not_there(anywhere, consume):
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "t", b"v")
        producer.send("t", None, b"k").get(10)
    first, second = consume("t")
    assert (first.serialized_key_size, first.serialized_header_size, first.headers) == (-1, -1, [])
    assert (second.serialized_value_size, second.value) == (-1, None)


def test_records_outlive_their_consumer(anywhere):
    fill(anywhere, 100)
    with KafkaConsumer(
        "t", bootstrap_servers=anywhere, auto_offset_reset="earliest", consumer_timeout_ms=300
    ) as consumer:
        kept = [record for record in rest(consumer) if record.offset % 10 == 0]
    del consumer
    assert values(kept) == list(range(0, 100, 10))


# --- poll and iteration ---------------------------------------------------------------------------


def test_poll_groups_by_partition(anywhere, consume):
    fill(anywhere, 10, partitions=2)
    consumer = consume("t")
    found = {}
    while sum(map(len, found.values())) < 10:
        for partition, records in consumer.poll(timeout_ms=1000).items():
            found.setdefault(partition, []).extend(values(records))
    assert found == {T0: [0, 2, 4, 6, 8], T1: [1, 3, 5, 7, 9]}
    assert consumer.poll() == {}


def test_poll_gives_no_more_than_asked(anywhere, consume):
    fill(anywhere, 10)
    consumer = consume("t", max_poll_records=4)
    sizes = []
    while sum(sizes) < 10:
        sizes += [len(records) for records in consumer.poll(timeout_ms=1000).values()]
    assert max(sizes) == 4
    consumer.seek(T0, 0)
    assert values(consumer.poll(timeout_ms=1000, max_records=1)[T0]) == [0]
    assert consumer.position(T0) == 1


def test_poll_waits_for_records_to_come(anywhere, consume):
    fill(anywhere, 0)
    consumer = consume("t")
    consumer.poll(timeout_ms=100)
    producer = KafkaProducer(bootstrap_servers=anywhere)
    threading.Timer(0.2, producer.send, ["t", b"7"]).start()
    start = time.monotonic()
    assert values(consumer.poll(timeout_ms=10_000)[T0]) == [7]
    assert 0.1 < time.monotonic() - start < 5
    producer.close()


def test_iteration_ends_and_goes_on(anywhere, consume):
    fill(anywhere, 3)
    consumer = consume("t")
    assert values(rest(consumer)) == [0, 1, 2]
    assert values(rest(consumer)) == []
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "t", b"3")
    assert values(rest(consumer)) == [3]


def test_a_small_timeout_still_drains_the_log(anywhere, consume, protocol):
    fill(anywhere, 100, partitions=3)
    assert len(list(consume("t", group_id="fresh", **protocol, consumer_timeout_ms=20))) == 100


def test_position_moves_with_each_record(anywhere, consume):
    fill(anywhere, 5)
    consumer = consume("t")
    for number, record in enumerate(consumer):
        assert (record.offset, consumer.position(T0)) == (number, number + 1)
    assert consumer.highwater(T0) == 5


def test_latest_starts_at_the_end(anywhere, consume):
    fill(anywhere, 5)
    consumer = consume("t", auto_offset_reset="latest")
    assert values(rest(consumer)) == []
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "t", b"5")
    assert values(rest(consumer)) == [5]


def test_no_reset_raises(anywhere, consume, protocol):
    fill(anywhere, 5)
    with pytest.raises(errors.NoOffsetForPartitionError):
        consume("t", group_id="g", **protocol, auto_offset_reset="none").poll(timeout_ms=5000)


def test_an_offset_out_of_range(anywhere, consume):
    fill(anywhere, 5)
    consumer = consume(auto_offset_reset="none")
    consumer.assign([T0])
    consumer.seek(T0, 99)
    with pytest.raises(errors.OffsetOutOfRangeError):
        consumer.poll(timeout_ms=5000)
    consumer.seek(T0, 3)
    assert values(rest(consumer)) == [3, 4]
    reset = consume()
    reset.assign([T0])
    reset.seek(T0, 99)
    assert values(rest(reset)) == [0, 1, 2, 3, 4]


# --- which topics and partitions ------------------------------------------------------------------


def test_assign_and_unsubscribe(anywhere, consume):
    fill(anywhere, 10, partitions=2)
    consumer = consume()
    assert (consumer.assignment(), consumer.subscription()) == (set(), None)
    consumer.assign([T1])
    assert consumer.assignment() == {T1}
    assert values(rest(consumer)) == [1, 3, 5, 7, 9]
    with pytest.raises(errors.IllegalStateError):
        consumer.subscribe(["t"])
    consumer.unsubscribe()
    assert consumer.assignment() == set()
    consumer.subscribe(["t"])
    assert consumer.subscription() == {"t"}
    assert sorted(values(rest(consumer))) == list(range(10))
    with pytest.raises(errors.IllegalStateError):
        consumer.assign([T0])


def test_a_pattern_takes_topics_that_come_later(anywhere, consume, protocol):
    fill(anywhere, 1, topic="log-a")
    fill(anywhere, 1, topic="other")
    consumer = consume(group_id="g", **protocol, metadata_max_age_ms=100)
    consumer.subscribe(pattern="^log-.*")
    assert [record.topic for record in rest(consumer)] == ["log-a"]
    fill(anywhere, 2, topic="log-b")
    taken = []
    for _ in range(20):
        for records in consumer.poll(timeout_ms=5000).values():
            taken += [record.topic for record in records]
        if len(taken) == 2:
            break
    assert taken == ["log-b", "log-b"]
    assert consumer.subscription() == {"log-a", "log-b"}


def test_bad_subscriptions(consume):
    consumer = consume()
    for bad in ({"topics": "t"}, {"topics": [1]}, {"topics": ["t"], "listener": object()}):
        with pytest.raises(TypeError):
            consumer.subscribe(**bad)
    for bad in ({}, {"topics": ["t"], "pattern": "t"}):
        with pytest.raises(errors.IllegalStateError):
            consumer.subscribe(**bad)
    with pytest.raises(TypeError):
        consumer.assign([("t", "0")])
    with pytest.raises(TypeError):
        consumer.assign(T0)


def test_pause_and_resume(anywhere, consume):
    fill(anywhere, 10, partitions=2)
    consumer = consume()
    consumer.assign([T0, T1])
    consumer.pause(T0)
    assert consumer.paused() == {T0}
    assert values(rest(consumer)) == [1, 3, 5, 7, 9]
    consumer.resume(T0)
    assert consumer.paused() == set()
    assert values(rest(consumer)) == [0, 2, 4, 6, 8]


# --- seeking and look-ups -------------------------------------------------------------------------


def test_seeking(anywhere, consume):
    fill(anywhere, 10)
    consumer = consume()
    consumer.assign([T0])
    consumer.seek(T0, 8)
    assert values(rest(consumer)) == [8, 9]
    consumer.seek_to_beginning()
    assert next(consumer).offset == 0
    consumer.seek(T0, 5)
    assert next(consumer).offset == 5
    consumer.seek_to_end(T0)
    assert (values(rest(consumer)), consumer.position(T0)) == ([], 10)


def test_seeking_elsewhere_is_refused(anywhere, consume):
    fill(anywhere, 1, partitions=2)
    consumer = consume()
    consumer.assign([T0])
    for call in (
        lambda: consumer.seek(T1, 0),
        lambda: consumer.seek(T0, -1),
        lambda: consumer.seek_to_end(T1),
        lambda: consumer.position(T1),
    ):
        with pytest.raises(AssertionError):
            call()
    with pytest.raises(TypeError):
        consumer.seek(T0, "0")


def test_offsets_of_a_topic(anywhere, consume):
    fill(anywhere, 9, partitions=2)
    consumer = consume()
    assert consumer.beginning_offsets([T0, T1]) == {T0: 0, T1: 0}
    assert consumer.end_offsets([T0, T1]) == {T0: 5, T1: 4}
    assert consumer.end_offsets(consumer.partitions_for_topic("t")) == {T0: 5, T1: 4}
    assert consumer.end_offsets(sorted(consumer.partitions_for_topic("t")))[T1] == 4
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        consumer.end_offsets([TopicPartition("t", 2)])


def test_partitions_are_numbers(anywhere, consume):
    fill(anywhere, 0, partitions=2)
    consumer = consume()
    assert consumer.partitions_for_topic("t") == {0, 1}
    assert consumer.partitions_for_topic("nowhere") == set()
    assert consumer.topics() == {"t"}
    assert pickle.loads(pickle.dumps(consumer.partitions_for_topic("t"))) == {0, 1}


def test_offsets_for_times(anywhere, consume):
    fill(anywhere, 10)
    consumer = consume()
    assert consumer.offsets_for_times({T0: START_MS + 45})[T0][:2] == (5, START_MS + 50)
    assert isinstance(consumer.offsets_for_times({T0: 0})[T0], OffsetAndTimestamp)
    assert consumer.offsets_for_times({T0: START_MS + 5000}) == {T0: None}
    with pytest.raises(ValueError):
        consumer.offsets_for_times({T0: -1})


# --- commits --------------------------------------------------------------------------------------


def test_commit_and_committed(anywhere, consume, protocol):
    fill(anywhere, 10)
    first = consume("t", group_id="g", **protocol, enable_auto_commit=False)
    assert first.committed(T0) is None
    for record in first:
        if record.offset == 3:
            first.commit()
            break
    assert first.committed(T0) == 4
    first.close()
    second = consume("t", group_id="g", **protocol, enable_auto_commit=False)
    assert values(rest(second)) == [4, 5, 6, 7, 8, 9]
    second.commit({T0: OffsetAndMetadata(7, "note", -1)})
    assert second.committed(T0, metadata=True)[:2] == (7, "note")


def test_commit_async(anywhere, consume, protocol):
    fill(anywhere, 10)
    consumer = consume("t", group_id="g", **protocol, enable_auto_commit=False)
    rest(consumer)
    called = threading.Event()
    seen = []

    def callback(offsets, response):
        seen.append((offsets, response))
        called.set()

    consumer.commit_async(callback=callback).get(timeout=10)
    assert called.wait(10)
    assert {partition: offset.offset for partition, offset in seen[0][0].items()} == {T0: 10}
    assert not isinstance(seen[0][1], Exception)
    assert consumer.committed(T0) == 10


def test_without_a_group_nothing_is_committed(anywhere, consume):
    fill(anywhere, 1)
    consumer = consume("t")
    rest(consumer)
    with pytest.raises(errors.IllegalStateError):
        consumer.commit()
    with pytest.raises(AssertionError):
        consumer.committed(T0)


def test_close_commits_what_was_handed_out(anywhere, consume, protocol):
    fill(anywhere, 10)
    consumer = consume("t", group_id="g", **protocol)
    for record in consumer:
        if record.offset == 4:
            break
    consumer.close()
    assert values(rest(consume("t", group_id="g", **protocol))) == [5, 6, 7, 8, 9]


def test_a_loop_that_raises_reads_its_record_again(anywhere, protocol):
    fill(anywhere, 10)
    options = {
        "bootstrap_servers": anywhere,
        "group_id": "g",
        "auto_offset_reset": "earliest",
        "consumer_timeout_ms": 300,
        **protocol,
    }

    def work(until):
        seen = []
        for record in KafkaConsumer("t", **options):
            seen.append(record.offset)
            if record.offset == until:
                raise KeyError
        return seen

    with pytest.raises(KeyError):
        work(until=4)
    deadline = time.monotonic() + 30
    with KafkaAdminClient(bootstrap_servers=anywhere) as admin:
        while "g" in {group["group_id"] for group in admin.list_groups(states_filter=["stable"])}:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert work(until=None) == [4, 5, 6, 7, 8, 9]


def test_automatic_commits_come_by_time(anywhere, consume, protocol):
    fill(anywhere, 10)
    consumer = consume("t", group_id="g", **protocol, auto_commit_interval_ms=50)
    assert len(rest(consumer)) == 10
    with KafkaAdminClient(bootstrap_servers=anywhere) as admin:
        deadline = time.monotonic() + 10
        while admin.list_consumer_group_offsets("g").get(T0, (0,))[0] != 10:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_commits_of_foreign_partitions_are_refused(consume):
    consumer = consume(group_id="g")
    for bad in ({("t", "x"): 1}, {T0: "1"}, {T0: (None, "")}):
        with pytest.raises(TypeError):
            consumer.commit(bad)


# --- deserializers --------------------------------------------------------------------------------


def test_deserializers_of_all_contracts(anywhere, consume):
    class WithTopic:
        def deserialize(self, topic, data):
            return topic, data

    class WithHeaders(Deserializer):
        def deserialize(self, topic, headers, data):
            return headers, data

    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "t", b"1", key=b"k", headers=[("h", b"x")])
    for deserializer, wanted in (
        (WithTopic(), ("t", b"1")),
        (WithHeaders(), ([("h", b"x")], b"1")),
        (JsonSerializer(), 1),
        (int, 1),
    ):
        record = next(consume("t", value_deserializer=deserializer, key_deserializer=bytes.decode))
        assert (record.key, record.value) == ("k", wanted)
        assert record.serialized_value_size == 1


def test_a_deserializer_that_raises_names_the_record(anywhere, consume):
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "t", b"0", b"1", b"bad", b"3")
    consumer = consume("t", value_deserializer=int)
    seen = []
    with pytest.raises(errors.RecordDeserializationError, match="t-0.*offset 2") as caught:
        for record in consumer:
            seen.append(record.value)
    assert seen == [0, 1]
    assert (caught.value.topic_partition, caught.value.offset) == (T0, 2)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(errors.RecordDeserializationError):
        next(consumer)
    consumer.seek(caught.value.topic_partition, caught.value.offset + 1)
    assert [record.value for record in rest(consumer)] == [3]


def test_poll_gives_the_records_before_a_bad_one(anywhere, consume):
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "t", b"0", b"1", b"bad", b"3")
    consumer = consume("t", value_deserializer=int)
    found = []
    with pytest.raises(errors.RecordDeserializationError):
        while True:
            for records in consumer.poll(timeout_ms=1000).values():
                found += [record.value for record in records]
    assert found == [0, 1]
    assert consumer.position(T0) == 2


# --- lifetime -------------------------------------------------------------------------------------


def test_a_closed_consumer(anywhere, consume):
    fill(anywhere, 1)
    consumer = consume("t")
    consumer.close()
    consumer.close()
    with pytest.raises(errors.IllegalStateError):
        consumer.poll()
    with pytest.raises(AssertionError):
        consumer.seek(T0, 0)
    assert list(consumer) == []


def test_wakeup_ends_a_wait(anywhere, consume):
    fill(anywhere, 0)
    consumer = consume("t")
    threading.Timer(0.2, consumer.wakeup).start()
    with pytest.raises(errors.WakeupError):
        consumer.poll(timeout_ms=30_000)


def test_two_threads_at_once_are_refused(anywhere, consume):
    fill(anywhere, 0)
    consumer = consume("t")
    waiting = threading.Thread(target=consumer.poll, args=[1000])
    waiting.start()
    time.sleep(0.3)
    with pytest.raises(errors.IllegalStateError):
        consumer.poll()
    waiting.join()


def test_group_metadata(anywhere, consume, protocol):
    fill(anywhere, 1)
    consumer = consume("t", group_id="g", **protocol)
    assert consumer.group_metadata().state == MemberState.UNJOINED
    rest(consumer)
    who = consumer.group_metadata()
    assert (who.group_id, who.state) == ("g", MemberState.STABLE)
    assert who.generation_id >= 1 and who.member_id
    assert consume("t").group_metadata() == (None, -1, "", None, MemberState.UNJOINED)
    assert consumer.bootstrap_connected() and consumer.config["group_id"] == "g"
