"""Each example runs by one command, ends by itself and prints the right result."""

import os
import re
import subprocess
import sys

import pytest
from conftest import TOP

EXAMPLES = TOP / "examples"

RESULTS = {
    "orders": [
        "o-1    40 EUR  reserved",
        "o-2   270 EUR  reserved",
        "o-3    40 EUR  sold out",
        "o-4   135 EUR  reserved",
        "o-5   180 EUR  sold out",
        "left in stock: 1 lamp, 0 chair, 0 desk",
        "cash-desk  has read 5 orders of 3 partitions",
        "warehouse  has read 5 orders of 3 partitions",
    ],
    "clickstream": [
        "     0         427       213        95        51",
        "     5         398       215        96        44",
        "    10         410       200        91        44",
        "    15         342       220        96        58",
        "total clicks: 3000",
        "too late to count: 1",
    ],
    "log_shipping": [
        "the first shipper sent 150 lines and was stopped",
        "the second went on and sent 250 lines",
        "ERROR    4",
        "in the topic: 400 lines, each once: True",
    ],
    "bank_account": [
        "withdraw  500 bob    refused: bob has only 70",
        "withdraw    1 carol  refused: carol has no account",
        "6 events give {'alice': 30, 'bob': 110}",
        "an hour after opening it was {'alice': 100, 'bob': 70}",
    ],
    "notifications": [
        "mail to ida@example.org: Order o-1 of 59 EUR was placed",
        "text to +000 1: We received 59 EUR",
        "5 notifications",
        "0 notifications",
        "1 notifications",
    ],
    "idempotent_processing": [
        "  died after 5 payments, nothing committed",
        "  12 delivered, 7 paid, 5 skipped",
        "north    58  in order: [10, 13, 16, 19]",
        "south    62  in order: [11, 14, 17, 20]",
        "west     66  in order: [12, 15, 18, 21]",
    ],
    "dead_letter_queue": [
        "processed 2, set aside 2",
        "  from orders-0 at 1: mended (amount is '12 EUR')",
        "mended 1",
        "  processed order 2 of 12",
        "processed 1, set aside 0",
    ],
    "consumer_lag": [
        "total lag                          900",
        "total lag                          650",
        "total lag                          250",
        "total lag                            0",
    ],
    "profile_views": [
        "ada      869 views by  311 members",
        "ken      163 views by  126 members",
        "924 were announced by the other group",
    ],
    "trips": [
        "trip-1: completed, 4.2 km, {'rider': 'mia', 'from': 'station', 'to': 'harbour', "
        "'driver': 'eva', 'fare': 14}",
        "        refused: matched while cancelled",
        "trip-1 lies in partition 1: completed, fare 14",
    ],
    "taste_profile": [
        "nora: jazz 3.51, soul 0.81, pop -0.50",
        "started from 2 profiles, took in 2 events",
        "otto: folk 3.90, metal 0.32",
    ],
    "fraud_detection": [
        "  1800 s  card-1      60 in Tokyo block   Paris to Tokyo in 29 minutes",
        "  2120 s  card-3       3 in Paris review  7 payments in 5 minutes",
        " 20000 s  card-2   12000 in Paris review  amount of 12000",
    ],
    "order_saga": [
        "o-1: order placed > payment taken > stock reserved > shipped",
        "o-2: order placed > payment refused",
        "o-3: order placed > payment taken > out of stock > payment returned",
        "o-4: order placed > payment taken > stock reserved > not shippable > stock released > "
        "payment returned",
    ],
    "hourly_statistics": [
        "kai        1    115     2961  comedy",
        "kai        1    212     5298  comedy",
        "max        2    106     2556  news",
    ],
}


def run(name, *arguments):
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TZ": "UTC"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_example_has_its_result_here():
    names = {path.stem for path in EXAMPLES.glob("*.py")} - {"embedded"}
    assert names == set(RESULTS)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_example(name):
    lines = run(name).splitlines()
    missing = [line for line in RESULTS[name] if line not in lines]
    assert not missing, "\n".join(["missing:", *missing, "printed:", *lines])


def test_a_given_directory_is_kept_and_gone_on_with(tmp_path):
    first = run("notifications", str(tmp_path / "log"))
    again = run("notifications", str(tmp_path / "log"))
    assert re.findall(r"^(\d) notifications", first, re.M) == ["5", "0", "1"]
    assert re.findall(r"^(\d) notifications", again, re.M) == ["5", "0", "1"]
    assert str(tmp_path / "log") in first
    assert (tmp_path / "log").is_dir()
