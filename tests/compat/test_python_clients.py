"""The tests of our Python clients that any Kafka must pass, on Apache Kafka 4.3.1."""

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "python"
FILES = ("test_producer.py", "test_consumer.py", "test_admin.py", "test_consumer_groups.py")
SUITE_SECONDS_MAX = 600

#: Kafka looks for records past their retention all the time. By default it does after half a minute
#: and then every five: a test with records of 1970 would fail when it happens to run just then.
SETTINGS = {"log.initial.task.delay.ms": 500, "log.retention.check.interval.ms": 500}

#: A suite that loses its tests must not pass.
PASSED_LEAST = 108


def test_our_clients_on_kafka(kafka_server, tmp_path):
    server = kafka_server(tmp_path / "log", settings=SETTINGS)
    server.format()
    server.start()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(str(TESTS / name) for name in FILES)],
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
