"""Metrics of kafka-python's kind: names, sensors, statistics, reporters."""

import math

import pytest
from ringlog import errors
from ringlog.metrics import (
    AnonMeasurable,
    DictReporter,
    MetricConfig,
    MetricName,
    Metrics,
    Quota,
)
from ringlog.metrics.stats import Avg, Count, Max, Min, Percentile, Percentiles, Rate, Total
from ringlog.metrics.stats.percentiles import BucketSizing

WINDOW_MS = 1000
CONFIG = MetricConfig(samples=2, time_window_ms=WINDOW_MS)


# ---- statistics


def recorded(stat, *events):
    """`events`: (ms, value)."""
    for now, value in events:
        stat.record(CONFIG, value, now)
    return stat


def test_averages_counts_and_bounds_of_the_recent_past():
    events = [(0, 2), (100, 4), (1000, 9)]
    for stat, value in ((Avg(), 5), (Count(), 3), (Max(), 9), (Min(), 2), (Total(), 15)):
        assert recorded(stat, *events).measure(CONFIG, 1500) == value
    assert recorded(Avg(), *events).measure(CONFIG, 2500) == 9  # the first window is too old
    assert recorded(Count(), *events).measure(CONFIG, 9000) == 0
    assert recorded(Total(), *events).measure(CONFIG, 9000) == 15


def test_a_rate_counts_all_windows_but_the_current_one_as_full():
    rate = recorded(Rate(), (0, 30))
    assert rate.measure(CONFIG, 0) == 30
    assert rate.measure(CONFIG, 500) == 20
    assert rate.measure(CONFIG, 1999) == pytest.approx(30 / 1.999)
    assert rate.measure(CONFIG, 2000) == 0
    assert recorded(Rate(sampled_stat=Count()), (0, 7), (1, 7)).measure(CONFIG, 1) == pytest.approx(
        2 / 1.001
    )


@pytest.mark.parametrize("bucketing", [BucketSizing.CONSTANT, BucketSizing.LINEAR])
def test_percentiles(bucketing):
    names = [MetricName(f"p{number}", "g") for number in (25, 50, 75)]
    wanted = [Percentile(name, float(name.name[1:])) for name in names]
    metrics = Metrics(MetricConfig(time_window_ms=10**9))
    metrics.sensor("s").add_compound(Percentiles(4 * 1000, bucketing, 100.0, percentiles=wanted))
    assert math.isnan(metrics.metrics[names[0]].value())
    for value in range(100):
        metrics.get_sensor("s").record(value)
    for name in names:
        assert metrics.metrics[name].value() == pytest.approx(float(name.name[1:]), abs=1.5)


# ---- the registry


def test_sensors_feed_parents_and_are_removed_with_their_children():
    metrics = Metrics()
    parent = metrics.sensor("parent")
    parent.add(metrics.metric_name("count", "g"), Count())
    child = metrics.sensor("child", parents=[parent])
    child.add(metrics.metric_name("child-count", "g"), Count())
    assert metrics.sensor("child") is child
    child.record()
    parent.record()
    values = {name.name: metric.value() for name, metric in metrics.metrics.items()}
    assert values == {"count": 2, "child-count": 1} | {"count": values["count"]}
    metrics.remove_sensor("parent")
    assert metrics.get_sensor("child") is None
    assert [name.group for name in metrics.metrics] == ["kafka-metrics-count"]


def test_names_are_unique_by_name_group_and_tags():
    metrics = Metrics(MetricConfig(tags={"client-id": "c"}))
    name = metrics.metric_name("n", "g", "text", {"t": "1"})
    assert name == MetricName("n", "g", "other text", {"client-id": "c", "t": "1"})
    metrics.add_metric(name, AnonMeasurable(lambda config, now: 1))
    with pytest.raises(ValueError):
        metrics.add_metric(name, AnonMeasurable(lambda config, now: 2))
    assert metrics.remove_metric(name).metric_name is name
    assert metrics.remove_metric(name) is None


def test_a_quota_refuses_but_records():
    metrics = Metrics()
    sensor = metrics.sensor("s")
    name = metrics.metric_name("total", "g")
    sensor.add(name, Total(), MetricConfig(quota=Quota.upper_bound(5)))
    sensor.record(5)
    with pytest.raises(errors.QuotaViolationError):
        sensor.record(1)
    assert metrics.metrics[name].value() == 6


def test_a_dict_reporter_follows_the_metrics():
    metrics = Metrics(MetricConfig(tags={"t": "1"}), reporters=[reporter := DictReporter("p")])
    name = metrics.metric_name("n", "g")
    metrics.add_metric(name, AnonMeasurable(lambda config, now: 42))
    assert reporter.snapshot()["p.g.t=1"] == {"n": 42.0}
    metrics.remove_metric(name)
    assert "p.g.t=1" not in reporter.snapshot()
