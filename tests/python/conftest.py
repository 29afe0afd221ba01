"""What the Python tests share: a log of their own, and where the shared folder is."""

import os
import pathlib
import uuid

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]


def shared_folder(name):
    """A folder of golden data or documents; the test is skipped by name where it is absent."""
    shared = pathlib.Path(os.environ.get("RINGLOG_SHARED") or TOP.parent / "shared")
    if not (shared / name).is_dir():
        pytest.skip(f"no {name} in the shared folder")
    return shared / name


@pytest.fixture(params=["memory", "file"])
def address(request, tmp_path):
    """An empty log, in memory and in a directory."""
    import ringlog

    chosen = f"memory:{uuid.uuid4().hex}" if request.param == "memory" else f"file:{tmp_path}/log"
    yield chosen
    ringlog.close(chosen)


@pytest.fixture
def memory():
    """An empty log in memory, for tests that do not care."""
    import ringlog

    chosen = f"memory:{uuid.uuid4().hex}"
    yield chosen
    ringlog.close(chosen)


def produce(producer, topic, *values, **given):
    """Sends values and waits until they are durable; their metadata."""
    futures = [producer.send(topic, value, **given) for value in values]
    return [future.get(timeout=10) for future in futures]
