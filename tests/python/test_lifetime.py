"""Opening, closing, dying, forking and interrupting, most of it in processes of their own."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest
import ringlog
from ringlog import KafkaConsumer, KafkaProducer, errors


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program, *arguments):
    process = start(program, *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def values(address, topic="t"):
    with KafkaConsumer(
        topic, bootstrap_servers=address, auto_offset_reset="earliest", consumer_timeout_ms=300
    ) as consumer:
        return [record.value for record in consumer]


def test_memory_logs_are_shared_by_name():
    with KafkaProducer(bootstrap_servers="memory:shared") as producer:
        producer.send("t", b"v").get(10)
    assert values("memory:shared") == [b"v"]
    assert values("memory:another") == []
    ringlog.close("memory:shared")
    assert values("memory:shared") == []
    ringlog.close("memory:shared")
    ringlog.close("memory:another")


def test_open_sets_the_broker_and_close_ends_its_clients(tmp_path):
    ringlog.open(tmp_path / "log", config={"num.partitions": 3})
    producer = KafkaProducer(bootstrap_servers=f"file:{tmp_path}/log")
    assert producer.partitions_for("t") == {0, 1, 2}
    ringlog.close(tmp_path / "log")
    with pytest.raises(errors.IllegalStateError):
        producer.send("t", b"v").get(10)
    ringlog.close(tmp_path / "log")


def test_other_settings_for_an_open_log_are_refused(tmp_path):
    ringlog.open(tmp_path / "log", config={"num.partitions": 3})
    with pytest.raises(errors.KafkaConfigurationError, match="num.partitions"):
        KafkaProducer(bootstrap_servers=f"file:{tmp_path}/log?num.partitions=4")
    ringlog.close(tmp_path / "log")


def test_unknown_broker_settings_name_the_nearest(tmp_path):
    with pytest.raises(errors.KafkaConfigurationError, match="log.retention.ms"):
        ringlog.open(tmp_path / "log", config={"log.retension.ms": 1})


def test_server_properties_in_the_directory_are_read(tmp_path):
    (tmp_path / "server.properties").write_text("# settings\nnum.partitions=5\n")
    with KafkaProducer(bootstrap_servers=f"file:{tmp_path}") as producer:
        assert producer.partitions_for("t") == {0, 1, 2, 3, 4}
    ringlog.close(tmp_path)


def test_one_log_by_every_name_of_its_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with KafkaProducer(bootstrap_servers="file:log") as producer:
        producer.send("t", b"v").get(10)
    (tmp_path / "link").symlink_to(tmp_path / "log")
    assert values(f"file:{tmp_path}/link") == [b"v"]
    ringlog.close("log")


def test_what_was_sent_is_there_after_the_script(tmp_path):
    run(
        """
        import sys
        from ringlog import KafkaProducer
        producer = KafkaProducer(bootstrap_servers=sys.argv[1], linger_ms=60000)
        for number in range(100):
            producer.send("t", str(number).encode())
        """,
        f"file:{tmp_path}",
    )
    assert values(f"file:{tmp_path}") == [str(number).encode() for number in range(100)]
    ringlog.close(tmp_path)


def test_callbacks_run_before_the_script_ends(tmp_path):
    out = run(
        """
        import sys
        from ringlog import KafkaProducer
        producer = KafkaProducer(bootstrap_servers=sys.argv[1], linger_ms=60000)
        producer.send("t", b"v").add_callback(lambda metadata: print("at", metadata.offset))
        """,
        f"file:{tmp_path}",
    )
    assert out == "at 0\n"


def test_a_forked_child_gets_a_clear_error(tmp_path):
    out = run(
        """
        import os, sys
        from ringlog import KafkaProducer, errors
        producer = KafkaProducer(bootstrap_servers=sys.argv[1])
        producer.send("t", b"parent").get(10)
        child = os.fork()
        if child == 0:
            try:
                producer.send("t", b"child").get(10)
            except errors.ForkedProcessError as error:
                print("child:", type(error).__name__, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("parent:", producer.send("t", b"again").get(10).offset)
        """,
        f"file:{tmp_path}",
    )
    assert out.splitlines() == ["child: ForkedProcessError", "parent: 1"]


@pytest.mark.parametrize(
    "waiting",
    [
        "for record in KafkaConsumer('t', bootstrap_servers=address): pass",
        "KafkaConsumer('t', bootstrap_servers=address, group_id='g').poll(timeout_ms=60_000)",
    ],
)
def test_interrupt_ends_a_wait(tmp_path, waiting):
    process = start(
        f"""
        import signal, sys
        from ringlog import KafkaConsumer
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored under `command &`
        address = sys.argv[1]
        print("waiting", flush=True)
        try:
            {waiting}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """,
        f"file:{tmp_path}",
    )
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == ("interrupted\n", 0), err
    assert time.monotonic() - begun < 10
