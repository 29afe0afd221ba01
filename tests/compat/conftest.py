"""Fixtures of the real-program tests. Without a JDK or Maven they are skipped by name."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "golden")]
sys.path.append(str(HERE.parent / "python"))  # kill_loop

import golden  # noqa: E402
import kafka_jars  # noqa: E402
import kafka_oracle  # noqa: E402


@pytest.fixture(scope="session")
def kafka_class_path() -> str:
    """Real Kafka's jars; the test is skipped where they cannot be had."""
    try:
        return kafka_jars.class_path()
    except kafka_jars.KafkaUnavailable as unavailable:
        pytest.skip(f"real Kafka is not available: {unavailable}")


@pytest.fixture
def kafka_server(kafka_class_path):
    """Makes servers (arguments of KafkaServer); those still running at the end are killed."""
    servers = []

    def make(*arguments, **named) -> kafka_oracle.KafkaServer:
        servers.append(kafka_oracle.KafkaServer(*arguments, **named))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()
        server.discard()


@pytest.fixture
def golden_directory(tmp_path):
    """Unpacks a golden archive ("clean", "killed", "torn") and gives its log directory."""

    def unpack(which: str) -> Path:
        return golden.unpack(which, tmp_path / f"golden-{which}")

    try:
        golden.folder()
    except golden.GoldenMissing as missing:
        pytest.skip(str(missing))
    return unpack
