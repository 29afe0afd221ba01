"""What is different when the log is at the other end of a socket: breaks, waits, errors."""

import subprocess
import sys
import threading
import time

import pytest
import served
from ringlog import KafkaConsumer, KafkaProducer, TopicPartition, errors
from ringlog.admin import KafkaAdminClient, NewTopic

QUICK = {"reconnect_backoff_max_ms": 100}


def create(address, topic, partitions=1):
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        admin.create_topics([NewTopic(topic, partitions, 1)])


def serve_again(directory, bootstrap):
    """The log of the directory on the same port as before."""
    return served.Served(None, "--data", str(directory), "--listen", bootstrap)


def test_no_broker_is_told_with_stage_and_cause():
    started = time.monotonic()
    with pytest.raises(errors.NoBrokersAvailable, match="127.0.0.1:1: TCP: .*refused"):
        KafkaConsumer(bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=300)
    assert time.monotonic() - started < 30
    with pytest.raises(errors.KafkaTimeoutError, match="name resolution"):
        KafkaProducer(bootstrap_servers="no-such-host.invalid", bootstrap_timeout_ms=2000)


def test_a_server_that_is_not_kafka_is_told(tmp_path):
    listening = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
        env={"PYTHONUNBUFFERED": "1"},
    )
    try:
        port = listening.stdout.readline().split(" port ")[1].split()[0]
        with pytest.raises(errors.NoBrokersAvailable, match="ApiVersions"):
            KafkaProducer(bootstrap_servers=f"127.0.0.1:{port}", bootstrap_timeout_ms=2000)
    finally:
        listening.kill()
        listening.wait()


def test_the_second_of_two_hosts_serves():
    with served.Served("memory:") as server:
        with KafkaProducer(bootstrap_servers=["127.0.0.1:1", server.bootstrap]) as producer:
            assert producer.send("t", b"v").get(30).offset == 0


def test_killed_and_started_again_nothing_acknowledged_is_lost_or_doubled(tmp_path):
    count, kills = 400, 3
    server = served.Served(tmp_path / "log")
    address = server.bootstrap
    create(address, "t", 2)
    acknowledged = []
    with KafkaProducer(bootstrap_servers=address, **QUICK) as producer:

        def send():
            for number in range(count):
                value = str(number).encode()
                producer.send("t", value, partition=number % 2).get(120)
                acknowledged.append(number)

        sender = threading.Thread(target=send)
        sender.start()
        for number in range(kills):
            while len(acknowledged) < count * (number + 1) // (kills + 1) and sender.is_alive():
                time.sleep(0.01)
            server.kill()
            server = serve_again(tmp_path / "log", address)
        sender.join(240)
        assert not sender.is_alive()
    assert acknowledged == list(range(count))
    with KafkaConsumer(
        bootstrap_servers=address, auto_offset_reset="earliest", consumer_timeout_ms=3000
    ) as consumer:
        consumer.assign([TopicPartition("t", 0), TopicPartition("t", 1)])
        found = [(record.partition, int(record.value)) for record in consumer]
    for partition in (0, 1):
        assert [value for of, value in found if of == partition] == list(range(partition, count, 2))
    server.stop()


def test_a_consumer_of_a_group_goes_on_after_a_kill(tmp_path):
    server = served.Served(tmp_path / "log")
    address = server.bootstrap
    create(address, "t")
    with (
        KafkaProducer(bootstrap_servers=address, **QUICK) as producer,
        KafkaConsumer(
            "t", bootstrap_servers=address, group_id="g", auto_offset_reset="earliest", **QUICK
        ) as consumer,
    ):
        for number in range(4):
            producer.send("t", str(number).encode()).get(60)
            assert next(consumer).offset == number
            consumer.commit()
            if number % 2:
                server.kill()
                server = serve_again(tmp_path / "log", address)
        assert consumer.committed(TopicPartition("t", 0)) == 4
    server.stop()


def test_what_cannot_be_delivered_fails_in_time_with_the_cause():
    server = served.Served("memory:")
    producer = KafkaProducer(bootstrap_servers=server.bootstrap, delivery_timeout_ms=600, **QUICK)
    producer.send("t", b"v").get(30)
    server.stop()
    with pytest.raises(errors.KafkaTimeoutError, match="delivery_timeout_ms.*(TCP|connection)"):
        producer.send("t", b"v").get(60)
    with pytest.raises(errors.KafkaTimeoutError):
        producer.send("t", b"v")
        producer.flush(timeout=0.05)
    producer.close(timeout=1)


def test_closing_with_things_under_way_ends():
    server = served.Served("memory:")
    create(server.bootstrap, "t")
    producer = KafkaProducer(bootstrap_servers=server.bootstrap, **QUICK)
    consumer = KafkaConsumer("t", bootstrap_servers=server.bootstrap, group_id="g", **QUICK)
    consumer.poll(timeout_ms=100)
    assert producer.partitions_for("t") == {0}
    server.kill()
    futures = [producer.send("t", b"v") for _ in range(100)]
    started = time.monotonic()
    producer.close(timeout=0.2)
    consumer.close(autocommit=False, timeout_ms=200)
    assert time.monotonic() - started < 30
    assert all(future.failed() for future in futures)


def test_a_script_that_closes_nothing_delivers_and_ends():
    with served.Served("memory:") as server:
        program = (
            "from ringlog import KafkaConsumer, KafkaProducer\n"
            f"producer = KafkaProducer(bootstrap_servers={server.bootstrap!r})\n"
            "for number in range(1000): producer.send('t', str(number).encode())\n"
            f"consumer = KafkaConsumer('t', bootstrap_servers={server.bootstrap!r}, group_id='g')\n"
            "consumer.poll(timeout_ms=500)\n"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        with KafkaConsumer(
            "t",
            bootstrap_servers=server.bootstrap,
            auto_offset_reset="earliest",
            consumer_timeout_ms=3000,
        ) as consumer:
            assert [int(record.value) for record in consumer] == list(range(1000))
