"""A damaged block of the journal that was acknowledged: read-only, named, repaired on word."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import ringlog
from ringlog import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from ringlog.admin import NewTopic
from ringlog.errors import KafkaStorageError
from ringlog_program import PROGRAM, check, contents, needs_program, values

EACH = 30

pytestmark = needs_program

# Records of `b` are in blocks of their own, between those of `a`.
VICTIM = """
import os, sys
from ringlog import KafkaAdminClient, KafkaProducer
from ringlog.admin import NewTopic
admin = KafkaAdminClient(bootstrap_servers=sys.argv[1])
admin.create_topics([NewTopic(name, 1, 1) for name in "ab"])
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
for number in range(30):
    for topic in "ab":
        producer.send(topic, b"%s %d" % (topic.encode(), number)).get(timeout=10)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def killed(tmp_path):
    data = tmp_path / "data"
    subprocess.run([sys.executable, "-c", VICTIM, f"file:{data}"], timeout=60)
    return data


def damage(data, text: bytes) -> None:
    """Flips a bit in the block that holds the text."""
    journals = sorted((data / "journal").glob("*.journal"))
    [journal] = [file for file in journals if text in file.read_bytes()]
    content = bytearray(journal.read_bytes())
    content[content.index(text)] ^= 1
    journal.write_bytes(content)


def expected(topic, count=EACH):
    return [b"%s %d" % (topic.encode(), number) for number in range(count)]


def ends(said):
    return {one["topic"]: one["logEnd"] for one in said["partitions"]}


def test_check_sees_what_an_unharmed_journal_holds(killed):
    before = contents(killed)
    status, said = check(killed, "--repair", "--yes")
    assert status == 2 and "ringlog recover" in said
    status, said = check(killed)
    assert (status, said["damage"], said["faults"]) == (0, 0, 0), said["findings"]
    assert not said["journal"]["closed"] and said["journal"]["batches"] >= 2 * EACH
    assert (ends(said)["a"], ends(said)["b"]) == (EACH, EACH)
    assert contents(killed) == before


def test_a_damaged_block_opens_for_reading_only(killed):
    damage(killed, b"a 10")
    before = contents(killed)
    address = f"file:{killed}"
    assert values(address, "a") == expected("a", 10)
    assert values(address, "b") == expected("b")
    producer = KafkaProducer(bootstrap_servers=address, retries=0)
    with pytest.raises(KafkaStorageError):
        producer.send("b", b"more").get(timeout=10)
    producer.close(timeout=1)
    consumer = KafkaConsumer(bootstrap_servers=address, group_id="g")
    consumer.assign([TopicPartition("b", 0)])
    with pytest.raises(KafkaStorageError):
        consumer.commit({TopicPartition("b", 0): ringlog.OffsetAndMetadata(1, "")})
    consumer.close(autocommit=False)
    admin = KafkaAdminClient(bootstrap_servers=address)
    with pytest.raises(KafkaStorageError):
        admin.create_topics([NewTopic("c", 1, 1)])
    admin.close()
    assert values(address, "b") == expected("b")
    assert check(killed)[0] == 2  # it is open
    ringlog.close(address)
    after = contents(killed)
    # What stands before the damage may be in the segments now, as after any replay.
    assert all(after[file].startswith(content) for file, content in before.items())
    assert {file for file in after if file.parent.parent != Path("log")} <= set(before)


def test_a_damaged_checkpoint_is_refused_with_a_remedy(killed):
    checkpoint = killed / "journal" / "checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    before = contents(killed)
    with pytest.raises(ringlog.errors.KafkaError, match="move .*journal away.*`ringlog check`"):
        KafkaProducer(bootstrap_servers=f"file:{killed}")
    refused = subprocess.run([PROGRAM, "recover", killed], capture_output=True, timeout=60)
    assert refused.returncode == 2 and b"journal away" in refused.stderr
    status, said = check(killed)
    [found] = [one for one in said["findings"] if one["severity"] == "damage"]
    assert status == 1 and "away" in found["remedy"]
    assert contents(killed) == before
    (killed / "journal").rename(killed / "moved")
    (killed / "moved").rename(killed.parent / "moved")
    producer = KafkaProducer(bootstrap_servers=f"file:{killed}")
    producer.send("c", b"goes on").get(timeout=10)
    producer.close()
    assert values(f"file:{killed}", "c") == [b"goes on"]
    ringlog.close(killed)
    assert check(killed)[0] == 0


def test_a_damaged_checkpoint_of_a_closed_log_is_made_anew(killed):
    assert subprocess.run([PROGRAM, "recover", killed], timeout=60).returncode == 0
    (killed / "journal" / "checkpoint").write_bytes(b"")
    status, said = check(killed)
    assert (status, said["damage"], said["faults"]) == (1, 0, 1), said["findings"]
    address = f"file:{killed}"
    assert (values(address, "a"), values(address, "b")) == (expected("a"), expected("b"))
    ringlog.close(address)
    assert check(killed)[0] == 0


def test_check_names_what_is_lost_and_repair_keeps_the_rest(killed):
    damage(killed, b"a 10")
    before = contents(killed)
    status, said = check(killed, "--repair")
    assert status == 1 and len(said["journal"]["lostBlocks"]) == 1
    gaps = [one for one in said["journal"]["doubtful"] if one["resumes"] > one["end"]]
    gap = {"topic": "a", "partition": 0, "end": 10, "resumes": 11, "resumedEnd": EACH}
    assert gaps == [gap]
    lost = [one for one in said["findings"] if one["file"] == "a-0" and one["offset"] == 10]
    assert [one["severity"] for one in lost] == ["damage"]
    assert (ends(said)["a"], ends(said)["b"]) == (10, EACH)
    [plan] = said["repair"]["plan"]
    assert "a-0 at offset 10, without 11 to 29" in plan and not said["repair"]["done"]
    refused = subprocess.run([PROGRAM, "recover", killed], capture_output=True, timeout=60)
    assert refused.returncode == 2 and b"damaged" in refused.stderr
    status, said = check(killed, "--repair", "--yes")
    assert status == 0 and said["repair"]["after"]["clean"], said["repair"]["after"]["findings"]
    assert contents(killed) != before
    assert (killed / "log" / "meta.properties").exists()
    address = f"file:{killed}"
    assert (values(address, "a"), values(address, "b")) == (expected("a", 10), expected("b"))
    producer = KafkaProducer(bootstrap_servers=address)
    assert producer.send("a", b"more").get(timeout=10).offset == 10
    producer.close()
    ringlog.close(address)
    assert check(killed)[0] == 0


def test_what_the_segments_have_of_a_lost_block_is_kept(killed):
    """Batches are stored after they became durable; so the segment may have what the block lost."""
    whole = killed.parent / "whole"
    shutil.copytree(killed, whole, ignore=shutil.ignore_patterns("ringlog.sock"))
    assert subprocess.run([PROGRAM, "recover", whole], timeout=60).returncode == 0
    damage(killed, b"a 10")
    name = "00000000000000000000.log"
    (killed / "log" / "a-0").mkdir(exist_ok=True)
    shutil.copy(whole / "log" / "a-0" / name, killed / "log" / "a-0" / name)
    status, said = check(killed)
    assert status == 1 and not any(
        one["resumes"] > one["end"] for one in said["journal"]["doubtful"]
    )
    assert values(f"file:{killed}", "a") == expected("a")
    ringlog.close(f"file:{killed}")


def test_a_torn_end_is_no_damage(killed):
    damage(killed, b"b 29")
    status, said = check(killed)
    assert status == 0 and said["journal"]["lostBlocks"] == []
    assert (ends(said)["a"], ends(said)["b"]) == (EACH, EACH - 1)
