"""The oracle itself: real Kafka starts, serves, stops, is dumped; damage is noticed."""

import shutil

import kafka_clients
import kafka_oracle
from confluent_kafka.admin import NewTopic


def partition_files(directory) -> list:
    """The files of a partition directory that DumpLogSegments knows."""
    known = (".log", ".index", ".timeindex", ".txnindex", ".snapshot")
    return sorted(
        file for file in directory.iterdir() if file.suffix in known and file.stat().st_size
    )


def test_start_serve_stop_dump(kafka_server, tmp_path):
    server = kafka_server(tmp_path / "log")
    server.format()
    server.start()
    assert 0 < server.seconds_to_leaders < kafka_oracle.START_SECONDS_MAX
    kafka_clients.create_topics(server.bootstrap, NewTopic("plain", 2, 1))
    sent = [
        ("plain", number % 2, b"k%d" % number, b"v%d" % number, [("h", b"x")])
        for number in range(20)
    ]
    kafka_clients.produce(server.bootstrap, sent)
    kafka_clients.commit(server.bootstrap, "readers", {("plain", 0): 3})
    read = kafka_clients.read_partition(server.bootstrap, "plain", 0)
    assert [(key, value) for _, _, key, value, _ in read] == [
        (key, value) for _, partition, key, value, _ in sent if partition == 0
    ]
    assert kafka_clients.committed(server.bootstrap, "readers")[("plain", 0)] == 3
    server.stop()
    assert server.complaints() == []

    files = partition_files(tmp_path / "log" / "plain-0") + partition_files(
        tmp_path / "log" / "plain-1"
    )
    dump = kafka_oracle.dump_log_segments(files, "--deep-iteration", "--print-data-log")
    assert kafka_oracle.dump_faults(dump) == []
    assert dump.count("payload: v") == 20

    again = kafka_server(tmp_path / "log").start(["plain", "__consumer_offsets"])
    again.kill()
    assert (tmp_path / "log" / ".lock").exists()
    assert not (tmp_path / "log" / ".kafka_cleanshutdown").exists()


def test_damage_is_noticed(kafka_class_path, golden_directory, tmp_path):
    """Canary: each kind of damage makes the dump tool complain in words that dump_faults knows."""
    source = golden_directory("clean") / "g.segments-index-0"
    log = sorted(source.glob("*.log"))[0]
    damages = {"crc": ".log", "tail": ".log", "index": ".index", "timeindex": ".timeindex"}
    for name, suffix in damages.items():
        copy = tmp_path / name
        copy.mkdir()
        for file in partition_files(source):
            if file.stem == log.stem:
                shutil.copy(file, copy)
        target = copy / (log.stem + suffix)
        data = bytearray(target.read_bytes())
        if name == "tail":
            data += b"\0\0\0\7garbage"
        else:
            data[70 if name == "crc" else 7] ^= 1
        target.write_bytes(data)
    for name in damages:
        dump = kafka_oracle.dump_log_segments(partition_files(tmp_path / name), "--deep-iteration")
        assert kafka_oracle.dump_faults(dump), f"{name} went unnoticed:\n{dump}"
