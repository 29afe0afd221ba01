"""install_as_kafka and `python -m ringlog run`, each in a process of its own."""

import subprocess
import sys
import textwrap

import pytest


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, **options
    )


def python(program, **options):
    done = run("-c", textwrap.dedent(program), **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kafka_means_ringlog():
    python(
        """
        import ringlog
        ringlog.install_as_kafka()
        import kafka, kafka.errors, kafka.consumer.fetcher, kafka.producer.future
        import kafka.admin.new_topic, kafka.coordinator.assignors.range
        from kafka.structs import TopicPartition
        from kafka.consumer.subscription_state import ConsumerRebalanceListener
        assert kafka is ringlog and kafka.errors is ringlog.errors
        assert kafka.TopicPartition is TopicPartition
        assert kafka.__spec__.name == "ringlog" and kafka.errors.__name__ == "ringlog.errors"
        from kafka import *
        assert KafkaProducer is ringlog.KafkaProducer
        try:
            import kafka.nonsense
        except ModuleNotFoundError as error:
            assert error.name == "kafka.nonsense"
        else:
            raise SystemExit("found nonsense")
        """
    )


def test_a_kafka_imported_before_is_replaced():
    pytest.importorskip("kafka")
    python(
        """
        import kafka.errors
        assert kafka.__name__ == "kafka"
        import ringlog
        ringlog.install_as_kafka("memory:")
        import kafka.errors
        assert kafka is ringlog and kafka.errors is ringlog.errors
        """
    )


def test_the_installed_address_wins_and_iteration_ends():
    python(
        """
        import ringlog
        ringlog.install_as_kafka("memory:one", consumer_timeout_ms=200)
        from kafka import KafkaConsumer, KafkaProducer
        KafkaProducer(bootstrap_servers=["kafka:9092"]).send("t", b"v").get()
        consumer = KafkaConsumer("t", bootstrap_servers="b:1", auto_offset_reset="earliest")
        assert consumer.config["consumer_timeout_ms"] == 200
        assert [message.value for message in consumer] == [b"v"]
        assert KafkaConsumer(consumer_timeout_ms=5).config["consumer_timeout_ms"] == 5
        ringlog.install_as_kafka("memory:two", 100)
        assert KafkaConsumer().topics() == set()
        """
    )


def test_without_an_address_the_scripts_own_stands():
    python(
        """
        import ringlog
        ringlog.install_as_kafka()
        from kafka import KafkaProducer
        from kafka.errors import KafkaTimeoutError, NoBrokersAvailable
        KafkaProducer(bootstrap_servers="memory:").send("t", b"v").get()
        try:
            KafkaProducer(bootstrap_servers="localhost:1", bootstrap_timeout_ms=100)
        except NoBrokersAvailable as error:
            assert "localhost:1: TCP" in str(error) and isinstance(error, KafkaTimeoutError)
        else:
            raise SystemExit("localhost was opened")
        """
    )


def test_bad_arguments_are_refused_at_once():
    import ringlog

    with pytest.raises(ValueError):
        ringlog.install_as_kafka("localhost:no-port")
    with pytest.raises(ValueError):
        ringlog.install_as_kafka("memory:", consumer_timeout_ms=-1)


SCRIPT = """
import sys
from kafka import KafkaConsumer, KafkaProducer
import beside
assert __name__ == "__main__"
producer = KafkaProducer(bootstrap_servers=["broker:9092"])
for word in sys.argv[1:]:
    producer.send(beside.TOPIC, word.encode())
producer.flush()
for message in KafkaConsumer(beside.TOPIC, auto_offset_reset="earliest"):
    print(message.offset, message.value.decode())
"""


def test_run_runs_a_script_unmodified(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "beside.py").write_text("TOPIC = 'words'\n")
    command = ["-m", "ringlog", "run", "--data", "log", "--consumer-timeout-ms", "300"]
    first = run(*command, "script.py", "a", "--b", cwd=tmp_path)
    assert (first.stdout, first.stderr) == ("0 a\n1 --b\n", "")
    again = run(*command, str(tmp_path / "script.py"), "c", cwd=tmp_path)
    assert again.stdout == "0 a\n1 --b\n2 c\n"
    assert (tmp_path / "log").is_dir()


def test_run_passes_on_how_the_script_ended(tmp_path):
    (tmp_path / "script.py").write_text("raise SystemExit(3)\n")
    assert run("-m", "ringlog", "run", str(tmp_path / "script.py"), cwd=tmp_path).returncode == 3
