"""`ringlog serve` and Kafka Streams 4.3: the programs of examples/kafka-streams.

They process at least once; where nothing fails and every instance is stopped in order that is
exactly once, so their whole output is compared.
"""

import itertools
import json
import re
import time
from collections import Counter, defaultdict
from pathlib import Path

import java_programs
import kafka_clients
import kafka_jars
import pytest
from confluent_kafka.admin import NewTopic
from java_programs import JavaProcess
from served import Served

PROGRAMS = Path(__file__).resolve().parents[2] / "examples" / "kafka-streams"
WAIT_SECONDS_MAX = 120
MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture(scope="module")
def classes(kafka_class_path) -> Path:
    """The compiled programs."""
    try:
        return java_programs.compiled(PROGRAMS)
    except kafka_jars.KafkaUnavailable as unavailable:
        pytest.skip(f"Kafka Streams cannot run: {unavailable}")


@pytest.fixture
def bootstrap(tmp_path):
    """A server over a log on disk."""
    with Served(tmp_path / "data") as server:
        yield server.bootstrap


def start(classes: Path, name: str, bootstrap: str, state: Path) -> JavaProcess:
    """An instance that has its tasks."""
    instance = JavaProcess(name, bootstrap, state, classes=classes)
    try:
        instance.wait_for("RUNNING")
    except BaseException:
        instance.kill()
        raise
    return instance


def produce(bootstrap: str, topic: str, records):
    """(partition, key, value, timestamp) in order; a value that is no text is sent as JSON."""
    sender = kafka_clients.producer(bootstrap)
    for partition, key, value, timestamp in records:
        text = value if isinstance(value, str) else json.dumps(value)
        sender.produce(topic, text, key, partition, timestamp=timestamp)
    assert sender.flush(WAIT_SECONDS_MAX) == 0


def written(bootstrap: str, topic: str, count: int, partitions: int = 1) -> list:
    """(key, value) of all records of a topic, as soon as there are so many."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        read = []
        for partition in range(partitions):
            read += kafka_clients.read_partition(bootstrap, topic, partition)
        if len(read) >= count or time.monotonic() > deadline:
            return [(key.decode(), json.loads(value)) for _, _, key, value, _ in read]
        time.sleep(0.2)


def whole_hour() -> int:
    """The start of an hour, some hours ago."""
    return int(time.time()) // 3600 * HOUR - 5 * HOUR


def profile(hour: int, views: int, minutes: int, genre: str) -> dict:
    """What ViewingStatistics writes."""
    return {"hourStart": hour, "views": views, "minutes": minutes, "favouriteGenre": genre}


def test_hourly_viewing_statistics(classes, bootstrap, tmp_path):
    """Stopped in the middle; the second instance has its state from the changelog alone."""
    first = whole_hour()
    second = first + HOUR

    def view(user: str, genre: str, minutes: int, at: int):
        event = {"user": user, "title": f"a {genre}", "genre": genre, "minutes": minutes}
        return 0, "tv", event, at

    topics = "viewing-events", "user-profiles-updated"
    kafka_clients.create_topics(bootstrap, *(NewTopic(name, 1, 1) for name in topics))
    early = [
        view("ida", "drama", 20, first),
        view("ida", "comedy", 30, first + 5 * MINUTE),
        view("jon", "drama", 7, first + 6 * MINUTE),
        (0, "tv", "no JSON", first + 6 * MINUTE),
        view("ida", "drama", 11, first + HOUR - 1),
    ]
    produce(bootstrap, "viewing-events", early)
    with start(classes, "ViewingStatistics", bootstrap, tmp_path / "one"):
        expected = [
            ("ida", profile(first, 1, 20, "drama")),
            ("ida", profile(first, 2, 50, "comedy")),
            ("jon", profile(first, 1, 7, "drama")),
            ("ida", profile(first, 3, 61, "drama")),
        ]
        assert written(bootstrap, "user-profiles-updated", len(expected)) == expected
    late = [
        view("jon", "news", 8, first + 30 * MINUTE),
        view("jon", "news", 5, second),
        view("ida", "drama", 60, first + 59 * MINUTE),  # that hour is over: not counted
        view("ida", "news", 3, second + MINUTE),
    ]
    with start(classes, "ViewingStatistics", bootstrap, tmp_path / "two"):
        produce(bootstrap, "viewing-events", late)
        expected += [
            ("jon", profile(first, 2, 15, "news")),
            ("jon", profile(second, 1, 5, "news")),
            ("ida", profile(second, 1, 3, "news")),
        ]
        assert written(bootstrap, "user-profiles-updated", len(expected)) == expected
    assert written(bootstrap, "user-profiles-updated", len(expected)) == expected
    committed = kafka_clients.committed(bootstrap, "viewing-statistics")
    assert committed["viewing-events", 0] == len(early) + len(late)


def test_click_counts_of_five_minutes(classes, bootstrap, tmp_path):
    """Three partitions, keyed by user, counted by page: every click goes through a repartition."""
    base, pages, users = whole_hour(), ["/", "/cart", "/lamps"], ["ida", "jon", "kim", "lea"]
    kafka_clients.create_topics(
        bootstrap, NewTopic("clickstream", 3, 1), NewTopic("page-view-stats", 2, 1)
    )

    def clicks(window: int, count: int):
        for number in range(count):
            event = {"page": pages[number % 7 % 3], "user": users[number % 4]}
            yield number % 3, event["user"], event, base + window * 5 * MINUTE + number * 100

    expected = defaultdict(list)
    with start(classes, "ClickCounts", bootstrap, tmp_path / "state"):
        total = 0
        for window, count in enumerate([200, 331, 64]):
            produce(bootstrap, "clickstream", clicks(window, count))
            total += count
            found = written(bootstrap, "page-view-stats", total, partitions=2)
            assert len(found) == total
            end = base + (window + 1) * 5 * MINUTE
            for page in pages:
                counted = sum(event["page"] == page for _, _, event, _ in clicks(window, count))
                expected[page] += [{"clicks": n + 1, "windowEnd": end} for n in range(counted)]
        by_page = defaultdict(list)
        for page, value in found:
            by_page[page].append(value)
        assert by_page == expected
        wait_until_purged(bootstrap, "click-counts", total)


def wait_until_purged(bootstrap: str, application: str, count: int):
    """Streams deletes the records of its repartition topic that it has counted."""
    listed = kafka_clients.admin(bootstrap).list_topics(timeout=WAIT_SECONDS_MAX).topics
    (topic,) = [name for name in listed if name.startswith(application) and "repartition" in name]
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        marks = [kafka_clients.watermarks(bootstrap, topic, n) for n in listed[topic].partitions]
        assert sum(end for _, end in marks) == count
        if all(low == end for low, end in marks):
            return
        assert time.monotonic() < deadline, marks
        time.sleep(0.2)


def test_word_count_of_two_instances(classes, bootstrap, tmp_path):
    """They share four partitions; the second one ends, and the first goes on with its counts."""
    kafka_clients.create_topics(bootstrap, NewTopic("lines", 4, 1), NewTopic("word-counts", 1, 1))
    words = ["lamp", "chair", "desk", "shelf", "rug", "mirror", "vase", "clock", "sofa"]

    def lines(count: int):
        for number in range(count):
            text = " ".join(words[: number % len(words) + 1]) + ", LAMP!"
            yield number % 4, None, text, int(time.time() * 1000)

    def check(line_count: int):
        """Every word's counts, one after another."""
        texts = [text.lower() for _, _, text, _ in lines(line_count)]
        said = Counter(word for text in texts for word in re.findall(r"\w+", text))
        found = defaultdict(list)
        for word, count in written(bootstrap, "word-counts", said.total()):
            found[word].append(count)
        assert found == {word: list(range(1, count + 1)) for word, count in said.items()}

    with start(classes, "WordCount", bootstrap, tmp_path / "one"):
        with start(classes, "WordCount", bootstrap, tmp_path / "two"):
            produce(bootstrap, "lines", lines(90))
            check(90)
        produce(bootstrap, "lines", itertools.islice(lines(180), 90, None))
        check(180)
