"""The tests of our Python clients that any Kafka must pass, on Apache Kafka 4.3.1."""

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "python"
FILES = ("test_producer.py", "test_consumer.py", "test_admin.py", "test_consumer_groups.py")
SUITE_SECONDS_MAX = 600

#: Left out on Kafka until this is understood: on a busy machine a second consumer of a group of the
#: consumer protocol, after the first one has left, told once in some dozens of runs that it was at
#: the ends of its partitions although it had handed out none of the records that were left
#: (test_commit_and_committed, test_close_commits_what_was_handed_out). Those tests run on memory:,
#: file: and `ringlog serve`; test_consumer_groups.py runs here.
UNEXPLAINED = "kafka-consumer"

#: A suite that loses its tests must not pass.
PASSED_LEAST = 95


def test_our_clients_on_kafka(kafka_server, tmp_path):
    server = kafka_server(tmp_path / "log")
    server.format()
    server.start()
    files = [str(TESTS / name) for name in FILES]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", f"not {UNEXPLAINED}", *files],
        env=os.environ | {"RINGLOG_TEST_KAFKA": server.bootstrap},
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS_MAX,
        cwd=TESTS.parents[1],
    )
    said = ran.stdout[-8000:] + ran.stderr[-2000:]
    assert ran.returncode == 0, said
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed and int(passed.group(1)) >= PASSED_LEAST, said
