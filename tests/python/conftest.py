"""What the Python tests share: a log of their own, and where the shared folder is."""

import contextlib
import os
import pathlib
import sys
import time
import uuid

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]


def shared_folder(name):
    """A folder of golden data or documents; the test is skipped by name where it is absent."""
    shared = pathlib.Path(os.environ.get("RINGLOG_SHARED") or TOP.parent / "shared")
    if not (shared / name).is_dir():
        pytest.skip(f"no {name} in the shared folder")
    return shared / name


sys.path.append(str(TOP / "tests" / "compat"))  # served, kafka_oracle


#: For timestamps of records, in ms. Not 1970: whoever has the log deletes what is older than the
#: topic's retention.ms, now and then.
START_MS = time.time_ns() // 1_000_000

#: HOST:PORT of an Apache Kafka that these tests may fill and empty; they run on it alone then.
KAFKA = os.environ.get("RINGLOG_TEST_KAFKA")


def empty_kafka():
    """Deletes all topics and groups."""
    from ringlog.admin import KafkaAdminClient

    with KafkaAdminClient(bootstrap_servers=KAFKA) as admin:
        topics = [name for name in admin.list_topics() if not name.startswith("__")]
        if topics:
            admin.delete_topics(topics)
        groups = [group["group_id"] for group in admin.list_groups()]
        if groups:
            admin.delete_groups(groups)


@contextlib.contextmanager
def empty_log(backend, directory, **settings):
    """The address of a log of its own: in memory, in a directory, or across a socket.

    `settings`: the broker's, with _ for dots. Of Kafka there is one server, emptied before each
    test, with settings of its own.
    """
    settings = [f"{name.replace('_', '.')}={value}" for name, value in settings.items()]
    import ringlog
    import served

    if backend == "kafka":
        empty_kafka()
        yield KAFKA
        return
    if backend == "served":
        options = [option for setting in settings for option in ("--set", setting)]
        with served.Served("memory:", *options) as server:
            yield server.bootstrap
        return
    chosen = f"memory:{uuid.uuid4().hex}" if backend == "memory" else f"file:{directory}/log"
    if settings:
        chosen += "?" + "&".join(settings)
    yield chosen
    ringlog.close(chosen)


@pytest.fixture(params=["kafka"] if KAFKA else ["memory", "file", "served"])
def address(request, tmp_path):
    """An empty log of each kind."""
    with empty_log(request.param, tmp_path) as chosen:
        yield chosen


@pytest.fixture(params=["kafka"] if KAFKA else ["memory", "served"])
def anywhere(request, tmp_path):
    """An empty log in memory, in this process and at the other end of a socket."""
    with empty_log(request.param, tmp_path) as chosen:
        yield chosen


@pytest.fixture(params=["classic", "consumer"])
def protocol(request):
    """Options of a consumer: by which protocol its group shares partitions."""
    return {"group_protocol": request.param}


@pytest.fixture
def memory(tmp_path):
    """An empty log in memory, for tests that do not care."""
    with empty_log("memory", tmp_path) as chosen:
        yield chosen


#: How long a consumer may take to read what is there.
READ_SECONDS_MAX = 60


def rest(consumer):
    """What is left to read: iterates until nothing came in `consumer_timeout_ms`, and again as
    long as what is assigned and not paused was not read to its ends."""
    deadline = time.monotonic() + READ_SECONDS_MAX
    found = list(consumer)
    while not _is_at_ends(consumer):
        assert time.monotonic() < deadline, f"{len(found)} records, not all"
        found += consumer
    return found


def _is_at_ends(consumer):
    here = consumer.assignment() - consumer.paused()
    ends = consumer.end_offsets(here)
    return bool(here) and all(consumer.position(one) == end for one, end in ends.items())


def produce(producer, topic, *values, **given):
    """Sends values and waits until they are durable; their metadata."""
    futures = [producer.send(topic, value, **given) for value in values]
    return [future.get(timeout=10) for future in futures]
