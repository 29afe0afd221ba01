"""`ringlog serve` and franz-go: the test suite of its client, as its authors run it on brokers."""

import os
import re
import subprocess
from collections import Counter

import franz_go_suite
import go_command
import pytest
from served import Served

SUITE_SECONDS_MAX = 600
RECORDS = 20_000  # each of the tests that move many records
PASSED = 143  # tests, those within tests not counted
OUTCOME = re.compile(r"^ *--- (PASS|FAIL|SKIP): (\S+)", re.MULTILINE)

LEFT_OUT = {"TestTxnEtl": "transactions wait for their issue"}
SHARE_GROUPS = "share groups are not advertised"
OLD_PRODUCE = "is for brokers without Produce 2, which Kafka 4.3 advertises, and so do we"
SASL = "there is no SASL"
SKIPPED = {
    "TestShareGroup": SHARE_GROUPS,
    "TestShareGroupAckOnClose": SHARE_GROUPS,
    "TestShareGroupETL": SHARE_GROUPS,
    "TestShareGroupOffsetsAdmin": SHARE_GROUPS,
    "TestConsumeRegexShareSkipsInternal": SHARE_GROUPS,
    "TestIssueProduceBrokerTooOldFailsRecords": OLD_PRODUCE,
    "TestSCRAMAuth": SASL,
    "TestSCRAMAuthBadCredentials": SASL,
}


@pytest.fixture
def suite() -> franz_go_suite.Suite:
    try:
        return franz_go_suite.suite()
    except go_command.GoUnavailable as unavailable:
        pytest.skip(f"franz-go cannot run: {unavailable}")


def test_the_suite_of_franz_go(suite, tmp_path):
    settings = {"KGO_TEST_RF": "1", "KGO_TEST_RECORDS": str(RECORDS), "KGO_LOG_LEVEL": "none"}
    without = "^(" + "|".join(LEFT_OUT) + ")$"
    with Served(tmp_path / "data") as server:
        ran = subprocess.run(
            [suite.program, "-test.v", "-test.skip", without],
            cwd=suite.folder,
            env={**os.environ, **settings, "KGO_SEEDS": server.bootstrap},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=SUITE_SECONDS_MAX,
        )
    outcomes = {name: outcome for outcome, name in OUTCOME.findall(ran.stdout)}
    failed = [name for name, outcome in outcomes.items() if outcome == "FAIL"]
    assert (ran.returncode, failed) == (0, []), told_of(failed, ran.stdout)
    assert {name for name, outcome in outcomes.items() if outcome == "SKIP"} == set(SKIPPED)
    outermost = Counter(outcome for name, outcome in outcomes.items() if "/" not in name)
    assert outermost["PASS"] == PASSED


def told_of(failed: list[str], output: str) -> str:
    """What was printed just before each failure, and at the end."""
    places = [output.find(f"--- FAIL: {name} ") for name in failed]
    return (
        "\n".join([*(output[max(0, place - 2000) : place + 200] for place in places)])
        + (output[-2000:])
    )
