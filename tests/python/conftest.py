"""What the Python tests share: a log of their own, and where the shared folder is."""

import contextlib
import os
import pathlib
import sys
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


@contextlib.contextmanager
def empty_log(backend, directory):
    """The address of a log of its own: in memory, in a directory, or across a socket."""
    import ringlog
    import served

    if backend == "served":
        with served.Served("memory:") as server:
            yield server.bootstrap
        return
    chosen = f"memory:{uuid.uuid4().hex}" if backend == "memory" else f"file:{directory}/log"
    yield chosen
    ringlog.close(chosen)


@pytest.fixture(params=["memory", "file", "served"])
def address(request, tmp_path):
    """An empty log of each kind."""
    with empty_log(request.param, tmp_path) as chosen:
        yield chosen


@pytest.fixture(params=["memory", "served"])
def anywhere(request, tmp_path):
    """An empty log in memory, in this process and at the other end of a socket."""
    with empty_log(request.param, tmp_path) as chosen:
        yield chosen


@pytest.fixture
def memory(tmp_path):
    """An empty log in memory, for tests that do not care."""
    with empty_log("memory", tmp_path) as chosen:
        yield chosen


def produce(producer, topic, *values, **given):
    """Sends values and waits until they are durable; their metadata."""
    futures = [producer.send(topic, value, **given) for value in values]
    return [future.get(timeout=10) for future in futures]
