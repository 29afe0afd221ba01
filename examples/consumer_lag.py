"""Consumer lag: how far a group is behind, per partition, and how it catches up.

    python examples/consumer_lag.py [DIRECTORY]

Lag is the end of a partition minus what the group has committed there. The group here reads in
steps, and the table is printed after each.
"""

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer
from ringlog.admin import KafkaAdminClient, OffsetSpec

TOPIC = "readings"
GROUP = "dashboard"
RECORDS = 900


def produce(address):
    with json_producer(address) as producer:
        for number in range(RECORDS):
            producer.send(TOPIC, key=f"sensor-{number % 17}", value={"celsius": number % 30})


def consume(address, records_max):
    """Reads at most so many records and commits them; returns how many there were."""
    read = 0
    with json_consumer(address, TOPIC, group=GROUP, enable_auto_commit=False) as consumer:
        while read < records_max:
            batch = consumer.poll(timeout_ms=500, max_records=records_max - read)
            if not batch:
                break
            read += sum(len(records) for records in batch.values())
        consumer.commit()
    return read


def lag(admin, group, topic):
    """[(partition, committed offset or None, end offset, lag)] of a group in a topic."""
    partitions = admin.describe_topics([topic])[0]["partitions"]
    ends = admin.list_partition_offsets(
        {(topic, partition["partition_index"]): OffsetSpec.LATEST for partition in partitions}
    )
    committed = admin.list_consumer_group_offsets(group)
    rows = []
    for partition, end in sorted(ends.items()):
        at = committed[partition].offset if partition in committed else None
        rows.append((partition.partition, at, end.offset, end.offset - (at or 0)))
    return rows


def print_lag(address):
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        rows = lag(admin, GROUP, TOPIC)
    print("partition  committed      end      lag")
    for partition, committed, end, behind in rows:
        shown = "-" if committed is None else committed
        print(f"{partition:>9}  {shown:>9}  {end:>7}  {behind:>7}")
    print(f"{'total lag':>9}  {'':>9}  {'':>7}  {sum(row[3] for row in rows):>7}")


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, readings=3)
        produce(address)
        heading("Before the group has read anything")
        print_lag(address)
        for step in (250, 400, RECORDS):
            read = consume(address, step)
            heading(f"After {read} more records")
            print_lag(address)


if __name__ == "__main__":
    main()
