"""The tools of `ringlog`: `topics`, `configs`, `quotas`, `groups`, `produce`, `consume` and others.

On a log of a directory and on a served one, under Kafka's flags, and under the names of Kafka's
tools.
"""

import json
import re
import signal
import subprocess
import sys

import pytest
import served
from conftest import shared_folder
from ringlog_program import PROGRAM, needs_program

pytestmark = needs_program

TOOL_SECONDS_MAX = 120


class Tools:
    """The tools on one log."""

    def __init__(self, address):
        self.address = address

    def run(self, *arguments, stdin=""):
        """The finished process; arguments begin with a sub-command or the name of a link."""
        name, *rest = arguments
        program = [PROGRAM.parent / name] if name.startswith("kafka-") else [PROGRAM, name]
        return subprocess.run(
            [*program, "--bootstrap-server", self.address, *rest],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=TOOL_SECONDS_MAX,
        )

    def __call__(self, *arguments, stdin=""):
        """What it printed; it has to succeed."""
        ran = self.run(*arguments, stdin=stdin)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def json(self, *arguments):
        return json.loads(self(*arguments, "--json"))

    def refused(self, *arguments):
        """Its complaint; it has to fail."""
        ran = self.run(*arguments)
        assert ran.returncode == 1 and ran.stdout == "", ran.stdout + ran.stderr
        return ran.stderr


@pytest.fixture
def directory_tools(tmp_path):
    return Tools(f"file:{tmp_path}/data")


@pytest.fixture(params=["file", "served"])
def tools(request, tmp_path):
    if request.param == "file":
        yield Tools(f"file:{tmp_path}/data")
        return
    with served.Served(tmp_path / "data") as server:
        yield Tools(server.bootstrap)


def rows(text):
    """The words of each line that is not empty."""
    return [line.split() for line in text.splitlines() if line]


def test_topics(tools):
    made = tools("topics", "--create", "--topic", "orders", "--partitions", "3")
    assert made == "Created topic orders.\n"
    assert "already exists" in tools.refused("topics", "--create", "--topic", "orders")
    assert tools("topics", "--create", "--topic", "orders", "--if-not-exists") == ""
    tools("topics", "--create", "--topic", "o.2", "--config", "retention.ms=5000")
    assert tools("topics", "--list") == "o.2\norders\n"
    assert tools.json("topics", "--list", "--topic", "ord.*") == ["orders"]
    described = tools("topics", "--describe", "--topic", "orders|o.2").splitlines()
    assert re.fullmatch(
        r"Topic: o.2\tTopicId: \S{22}\tPartitionCount: 1\tReplicationFactor: 1\t"
        r"Configs: retention.ms=5000",
        described[0],
    )
    place = "\tTopic: orders\tPartition: 2\tLeader: {0}\tReplicas: {0}\tIsr: {0}\tElr: \t"
    (topic,) = tools.json("topics", "--describe", "--topic", "orders")
    leader = topic["partitions"][2]["leader"]
    assert described[-1] == place.format(leader) + "LastKnownElr: "
    assert topic["partitions"][2] == {
        "partition": 2,
        "leader": leader,
        "replicas": [leader],
        "isr": [leader],
    }
    tools("topics", "--alter", "--topic", "orders", "--partitions", "4")
    assert "4 partition" in tools.refused(
        "topics", "--alter", "--topic", "orders", "--partitions", "2"
    )
    tools("topics", "--delete", "--topic", "orders")
    assert "does not exist" in tools.refused("topics", "--delete", "--topic", "orders")
    assert tools("topics", "--delete", "--topic", "orders", "--if-exists") == ""
    assert tools("topics", "--list") == "o.2\n"
    assert "--topic" in tools.refused("topics", "--create")
    assert "replication" in tools.refused(
        "topics", "--create", "--topic", "three", "--replication-factor", "3"
    )


def test_configs(tools):
    tools("topics", "--create", "--topic", "orders")
    topic = ("--entity-type", "topics", "--entity-name", "orders")
    wanted = "cleanup.policy=[compact,delete],retention.bytes=5"
    told = tools("configs", "--alter", *topic, "--add-config", wanted)
    assert told == "Completed updating config for topic orders.\n"
    assert tools("configs", "--describe", "--topic", "orders").splitlines() == [
        "Dynamic configs for topic orders are:",
        "  cleanup.policy=compact,delete sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:"
        "cleanup.policy=compact,delete, DEFAULT_CONFIG:log.cleanup.policy=delete}",
        "  retention.bytes=5 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.bytes=5, "
        "DEFAULT_CONFIG:log.retention.bytes=-1}",
    ]
    tools("configs", "--alter", *topic, "--delete-config", "cleanup.policy,retention.bytes")
    assert tools.json("configs", "--describe", *topic)[0]["configs"] == []
    every = tools.json("configs", "--describe", "--all", *topic)[0]["configs"]
    assert {"name": "segment.bytes", "value": "1073741824", "sensitive": False}.items() <= next(
        config for config in every if config["name"] == "segment.bytes"
    ).items()
    bad = tools.refused("configs", "--alter", *topic, "--add-config", "min.insync.replicas=x")
    assert "Invalid value x for configuration min.insync.replicas" in bad
    assert "nothing" in tools.refused("configs", "--alter", *topic, "--delete-config", "nothing")
    every_broker = ("--entity-type", "brokers", "--entity-default")
    tools("configs", "--alter", *every_broker, "--add-config", "log.retention.ms=7777777")
    assert "log.retention.ms=7777777 " in tools("configs", "--describe", *every_broker)


def test_levels_of_loggers(tmp_path):
    """At INFO the server tells why connections end; each run of a tool is at least one."""
    loggers = ("configs", "--entity-type", "broker-loggers", "--entity-name", "1")
    names = ("broker", "groups", "metadata", "node", "server", "storage")
    quiet_runs = 10
    with served.Served(tmp_path / "data") as server:
        tools = Tools(server.bootstrap)
        assert tools(*loggers, "--describe").splitlines() == [
            "Dynamic configs for broker-logger 1 are:",
            *(f"  ringlog.{name}=WARN sensitive=false synonyms={{}}" for name in names),
            "  root=WARN sensitive=false synonyms={}",
        ]
        told = tools(*loggers, "--alter", "--add-config", "ringlog.server=INFO")
        assert told == "Completed updating config for broker-logger 1.\n"
        (shown,) = tools.json("configs", "--describe", "--broker-logger", "1")
        assert {
            "name": "ringlog.server",
            "value": "INFO",
            "sensitive": False,
            "source": "DYNAMIC_BROKER_LOGGER_CONFIG",
        } in shown["configs"]
        tools(*loggers, "--alter", "--delete-config", "ringlog.server")
        for change, why in (
            ("--add-config=nothing=INFO", "Logger nothing does not exist!"),
            ("--add-config=root=LOUD", "root to LOUD as it is not a supported log level"),
            ("--delete-config=root", "Removing the log level of the root logger"),
        ):
            assert why in tools.refused(*loggers, "--alter", change)
        assert "--entity-name" in tools.refused("configs", "--describe", *loggers[1:3])
        for _ in range(quiet_runs):
            assert "ringlog.server=WARN " in tools(*loggers, "--describe")
        said = server.stop()
    assert 0 < said.count("connection of 127.0.0.1 is closed") < quiet_runs


def test_records_and_offsets(tools, tmp_path):
    lines = "from:ida\tk-1\tone\nfrom:jon,to:kim\tk-2\ttwo ä\nNULL\tk-1\tNULL\n"
    properties = ("parse.key=true", "parse.headers=true", "null.marker=NULL")
    given = [part for each in properties for part in ("--property", each)]
    tools("produce", "--topic", "said", "--compression-codec", "zstd", *given, stdin=lines)
    shown = ("print.partition", "print.offset", "print.headers", "print.key")
    printed = [part for each in shown for part in ("--property", f"{each}=true")]
    three = ("--from-beginning", "--max-messages", "3")
    assert tools("consume", "--topic", "said", *three, *printed).splitlines() == [
        "Partition:0\tOffset:0\tfrom:ida\tk-1\tone",
        "Partition:0\tOffset:1\tfrom:jon,to:kim\tk-2\ttwo ä",
        "Partition:0\tOffset:2\tNO_HEADERS\tk-1\tnull",
    ]
    one = ("--partition", "0", "--offset", "1", "--max-messages", "1")
    assert tools("consume", "--topic", "said", *one) == "two ä\n"
    record = tools.json("consume", "--topic", "said", *one)
    assert (record["key"], record["headers"]) == ("k-2", [["from", "jon"], ["to", "kim"]])
    assert tools("consume", "--topic", "said", "--timeout-ms", "100") == ""
    assert tools("offsets", "--topic", "said") == "said:0:3\n"
    file = tmp_path / "offsets.json"
    file.write_text(json.dumps({"partitions": [{"topic": "said", "partition": 0, "offset": 2}]}))
    deleted = tools("delete-records", "--offset-json-file", str(file)).splitlines()
    assert deleted[-1] == "partition: said-0\tlow_watermark: 2"
    assert tools.json("offsets", "--topic", "said", "--time", "earliest") == [
        {"topic": "said", "partition": 0, "offset": 2}
    ]
    assert (
        "no key in the line"
        in tools.run(
            "produce", "--topic", "said", "--property", "parse.key=true", stdin="none\n"
        ).stderr
    )


def test_groups(tools, tmp_path):
    tools("topics", "--create", "--topic", "orders", "--partitions", "2")
    tools("produce", "--topic", "orders", stdin="".join(f"{n}\n" for n in range(10)))
    ends = {row["partition"]: row["offset"] for row in tools.json("offsets", "--topic", "orders")}
    read = ("--group", "readers", "--from-beginning", "--max-messages", "10")
    tools("consume", "--topic", "orders", *read)
    assert tools("groups", "--list") == "readers\n"
    heading, *found = rows(tools("groups", "--describe", "--group", "readers"))
    assert heading[:6] == ["GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG"]
    assert found == [
        ["readers", "orders", str(partition), str(end), str(end), "0", "-", "-", "-"]
        for partition, end in ends.items()
    ]
    reset = ("groups", "--reset-offsets", "--group", "readers", "--topic", "orders")
    assert rows(tools(*reset, "--to-earliest"))[1:] == [
        ["readers", "orders", "0", "0"],
        ["readers", "orders", "1", "0"],
    ]
    lags = [row["lag"] for row in tools.json("groups", "--describe", "--group", "readers")]
    assert lags == [0, 0]  # nothing was executed
    tools(*reset, "--to-earliest", "--execute")
    lags = [row["lag"] for row in tools.json("groups", "--describe", "--group", "readers")]
    assert lags == list(ends.values())
    file = tmp_path / "offsets.csv"
    file.write_text("orders,0,1\norders,1,100\n")
    told = tools(
        "groups", "--reset-offsets", "--group", "readers", "--from-file", str(file), "--export"
    )
    assert told == f"orders,0,1\norders,1,{ends[1]}\n"
    tools("groups", "--delete-offsets", "--group", "readers", "--topic", "orders:1")
    assert len(tools.json("groups", "--describe", "--group", "readers")) == 1
    assert tools.json("groups", "--list")[0]["state"] == "Empty"
    tools("groups", "--delete", "--group", "readers")
    assert tools("groups", "--list") == ""
    assert "readers" in tools.refused("groups", "--describe", "--group", "readers")


def test_quotas(tools):
    tools("topics", "--create", "--topic", "t")  # and the directory with it
    one = ("--user", "ida", "--client", "shop")
    told = tools("quotas", "--alter", *one, "--add-config", "producer_byte_rate=2048")
    assert told == "Completed updating config for user ida.\n"
    both = ("--entity-type", "clients", "--entity-type", "users", "--entity-default")
    assert "--entity-name or --entity-default" in tools.refused(
        "quotas", "--alter", *both, "--add-config", "consumer_byte_rate=1"
    )
    everyone = ("--entity-type", "clients", "--entity-default")
    told = tools("configs", "--alter", *everyone, "--add-config", "request_percentage=12.5")
    assert told == "Completed updating default config for clients in the cluster.\n"
    assert sorted(tools("quotas", "--describe").splitlines()) == [
        "Quota configs for the default client-id are request_percentage=12.5",
        "Quota configs for user-principal 'ida', client-id 'shop' are producer_byte_rate=2048.0",
    ]
    assert tools.json("configs", "--describe", *everyone) == [
        {"entity": {"client-id": None}, "quotas": {"request_percentage": 12.5}}
    ]
    assert tools("quotas", "--describe", "--entity-type", "users") == ""  # with nothing else
    named = ("--entity-type", "clients", "--entity-name", "shop")
    mixed = (*named, "--entity-type", "users", "--entity-name", "ida")
    assert len(tools.json("quotas", "--describe", *mixed)) == 1
    tools("quotas", "--alter", *mixed, "--delete-config", "producer_byte_rate")
    assert tools.json("quotas", "--describe", *mixed) == []
    assert "is a number" in tools.refused(
        "quotas", "--alter", *named, "--add-config", "producer_byte_rate=fast"
    )
    assert "speed" in tools.refused("quotas", "--alter", *named, "--add-config", "speed=1")


def test_log_dirs(tools, tmp_path):
    tools("topics", "--create", "--topic", "orders", "--partitions", "2")
    tools("topics", "--create", "--topic", "other")
    tools("produce", "--topic", "orders", stdin="one\n")
    told = tools.json("log-dirs", "--describe", "--topic-list", "orders")
    (broker,) = told["brokers"]
    (directory,) = broker["logDirs"]
    assert directory["logDir"] == str(tmp_path / "data" / "log")
    assert directory["error"] is None and 0 < directory["usableBytes"] <= directory["totalBytes"]
    sizes = {one["partition"]: one["size"] for one in directory["partitions"]}
    assert set(sizes) == {"orders-0", "orders-1"} and sum(size > 0 for size in sizes.values()) == 1
    table = rows(tools("log-dirs", "--broker-list", str(broker["broker"])))
    assert table[0] == ["BROKER", "DIRECTORY", "PARTITION", "BYTES"]
    assert {"orders-0", "orders-1", "other-0", "(free)"} <= {row[2] for row in table}
    assert "broker 77" in tools.refused("log-dirs", "--broker-list", "77")


def test_speed_is_measured(tools):
    sent = tools(
        *("perf-produce", "--topic", "t", "--num-records", "1000", "--record-size", "100"),
        *("--producer-props", "linger.ms=1", "compression.type=zstd"),
    )
    assert re.match(r"1000 records sent, [\d.]+ records/sec \([\d.]+ MB/sec\), ", sent)
    assert tools("offsets", "--topic", "t") == "t:0:1000\n"
    read = tools("perf-consume", "--topic", "t", "--messages", "1000", "--hide-header")
    columns = read.split(", ")
    assert columns[4] == "1000" and abs(float(columns[2]) - 1000 * 100 / 2**20) < 0.001
    read = tools.json("perf-consume", "--topic", "t", "--num-records", "600")
    assert read["records"] == 600 and read["ms"] >= read["rebalance_ms"]
    slow = tools.json(
        *("perf-produce", "--topic", "t", "--num-records", "50", "--record-size", "10"),
        *("--throughput", "100"),
    )
    assert slow["seconds"] >= 0.49  # the last of 50 is due then


def test_client_properties_of_a_file(tools, tmp_path):
    file = tmp_path / "client.properties"
    file.write_text("request.timeout.ms=5000\nsecurity.protocol = PLAINTEXT\nlinger.ms=1\n")
    with_file = ("--command-config", str(file))
    tools("topics", "--create", "--topic", "t", *with_file)
    tools("produce", "--topic", "t", *with_file, stdin="one\n")
    assert tools("consume", "--topic", "t", "--from-beginning", "--max-messages", "1") == "one\n"
    file.write_text("security.protocol=SASL_SSL\n")
    assert "security.protocol: only PLAINTEXT" in tools.refused("topics", "--list", *with_file)
    file.write_text("speed=high\n")
    assert "no client setting 'speed'" in tools.refused("topics", "--list", *with_file)
    missing = ("--command-config", str(tmp_path / "none"))
    assert "cannot read" in tools.refused("topics", "--list", *missing)


def test_a_directory_that_is_not_there_is_not_made(directory_tools, tmp_path):
    assert "data" in directory_tools.refused("topics", "--list")
    assert list(tmp_path.iterdir()) == []


# ---- the documents' command lines

GROUPS = ("email-service", "wildberries-order-service")
LINE = re.compile(
    r"(kafka-(?:topics|configs|consumer-groups|console-consumer|console-producer) .*)"
)


def command_lines(folder):
    """Of all bash blocks, in their order, without the address."""
    program = shared_folder("documents") / "blocks"
    subprocess.run([sys.executable, program, "bash", folder], check=True, capture_output=True)
    for block in sorted(folder.glob("*.sh")):
        for line in block.read_text().replace("\\\n", " ").splitlines():
            if found := LINE.search(line):
                words = found.group(1).rstrip("'").split()
                if "--bootstrap-server" in words:
                    at = words.index("--bootstrap-server")
                    assert words[at + 1] == "localhost:9092"
                    del words[at : at + 2]
                yield words


def test_command_lines_of_the_documents(tools, tmp_path):
    lines = list(command_lines(tmp_path))
    assert len(lines) >= 14
    tools("topics", "--create", "--topic", "user-profiles")
    for words in lines:
        if words[0] == "kafka-console-producer":
            tools(*words, stdin="hello\n")
        elif words[0] == "kafka-console-consumer":
            assert first_line(tools, words) == "hello\n"
        elif "--replication-factor" in words and words[-1] == "3":
            assert "replication" in tools.refused(*words)
            tools(*words[:-2])
        elif words[:2] == ["kafka-topics", "--create"] and "orders" in tools("topics", "--list"):
            assert "already exists" in tools.refused(*words)
        else:
            tools(*words)
        if words[0] == "kafka-topics" and words[1] == "--create":
            for group in GROUPS:
                tools("consume", "--topic", "orders", "--group", group, "--timeout-ms", "1")
            tools("produce", "--topic", "orders", stdin="hello\n")
    configs = {config["name"]: config["value"] for config in own_configs(tools, "orders")}
    assert configs == {"retention.ms": "604800000", "retention.bytes": "10737418240"}
    assert own_configs(tools, "user-profiles")[0]["value"] == "compact"
    assert own_configs(tools, "critical-events")[0]["value"] == "2"


def own_configs(tools, topic):
    return tools.json("configs", "--describe", "--topic", topic)[0]["configs"]


def first_line(tools, words):
    """Of a program that goes on until it is interrupted."""
    program = [PROGRAM.parent / words[0], "--bootstrap-server", tools.address, *words[1:]]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=TOOL_SECONDS_MAX) == 0
    return line
