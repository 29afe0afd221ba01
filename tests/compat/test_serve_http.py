"""The HTTP endpoint of `ringlog serve`, read by Python's own client and by Prometheus' rules."""

import re
import urllib.error
import urllib.request

import kafka_clients
import kafka_oracle
import pytest
from confluent_kafka.admin import NewTopic
from served import Served

ANSWER_SECONDS_MAX = 60
SAMPLE = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*"'
    r'(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*")*\})? (\S+)'
)


def get(address: str):
    with urllib.request.urlopen(address, timeout=ANSWER_SECONDS_MAX) as answer:
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def samples(page: str) -> dict[str, float]:
    """By name and labels; the page is held against the format."""
    found, families = {}, {}
    for line in page.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in families, f"{name} is there twice"
            families[name] = kind
            continue
        if line.startswith("# HELP "):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        base = re.sub(r"_(sum|count)$", "", name)
        assert name in families or families.get(base) == "summary", line
        assert name + (labels or "") not in found, f"{line} is there twice"
        found[name + (labels or "")] = float(value)
    return found


def test_metrics_and_health():
    with Served("memory:", "--http", "0") as server:
        assert get(f"{server.http}/health") == (200, "text/plain; charset=utf-8", "ok\n")
        with pytest.raises(urllib.error.HTTPError):
            get(f"{server.http}/elsewhere")
        kafka_clients.create_topics(server.bootstrap, NewTopic("orders", 1, 1))
        records = [("orders", 0, b"k", b"v%d" % number, []) for number in range(100)]
        kafka_clients.produce(server.bootstrap, records)
        kafka_clients.read_partition(server.bootstrap, "orders", 0)
        status, kind, page = get(f"{server.http}/metrics")
        assert status == 200
        assert kind == "text/plain; version=0.0.4; charset=utf-8"
        found = samples(page)
        prefix = "kafka_server_brokertopicmetrics"
        assert found[prefix + '_messagesin_total{topic="orders"}'] == 100
        assert found[prefix + "_messagesin_total"] == 100
        assert found[prefix + "_bytesin_total"] > 100
        assert found[prefix + "_bytesout_total"] >= found[prefix + "_bytesin_total"]
        assert found['kafka_network_requestmetrics_requests_total{request="Produce"}'] > 0
        assert found["kafka_server_replicamanager_underreplicatedpartitions"] == 0


def test_there_is_no_endpoint_unless_asked_for():
    with Served("memory:") as server:
        assert server.http is None


def test_what_kafkas_producer_measures(kafka_class_path):
    """It pushes what it has when it closes; Kafka would forget it after three intervals, too."""
    with Served("memory:", "--http", "0") as server:
        wanted = ("--entity-type", "client-metrics", "--entity-name", "all")
        kafka_oracle.configs(
            server.bootstrap,
            *(
                "--alter",
                *wanted,
                "--add-config",
                "metrics=[org.apache.kafka.producer.],interval.ms=60000",
            ),
        )
        kafka_oracle.tool(
            "org.apache.kafka.tools.VerifiableProducer",
            *("--bootstrap-server", server.bootstrap, "--topic", "counted"),
            *("--max-messages", "100"),
        )
        _, _, page = get(f"{server.http}/metrics")
        found = samples(page)
        measured = [
            name for name in found if name.startswith("kafka_client_org_apache_kafka_producer_")
        ]
        assert len(measured) > 10, page
        assert all('client_id="producer-1"' in name for name in measured)
