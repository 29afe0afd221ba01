"""Tables for people, in a terminal and in a notebook."""

from conftest import produce
from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, Table, TopicPartition
from ringlog.admin import KafkaAdminClient


def test_named_tuples_are_tables_in_a_notebook():
    assert TopicPartition("orders", 3)._repr_html_() == (
        "<table><thead><tr><th>topic</th><th>partition</th></tr></thead>"
        "<tbody><tr><td>orders</td><td>3</td></tr></tbody></table>"
    )
    assert "<td>17</td>" in OffsetAndMetadata(17, "note", -1)._repr_html_()


def test_records_are_tables(memory):
    with KafkaProducer(bootstrap_servers=memory) as producer:
        [metadata] = produce(producer, "orders", b"<b>&", key=b"k" * 200)
    assert "<td>orders</td>" in metadata._repr_html_()
    with KafkaConsumer(
        "orders", bootstrap_servers=memory, auto_offset_reset="earliest"
    ) as consumer:
        records = consumer.poll(timeout_ms=10_000)
    [[record]] = records.values()
    shown = record._repr_html_()
    assert "&lt;b&gt;&amp;" in shown and "<b>" not in shown
    assert "k" * 60 in shown and "k" * 100 not in shown
    for many in (records, [record]):
        table = Table(many)
        assert len(table) == 1 and table.columns[:2] == ["topic", "partition"]
        assert table._repr_html_() == shown


def test_tables_as_text():
    table = Table([TopicPartition("orders", 0), TopicPartition("payments", 11)])
    assert str(table).splitlines() == ["topic     partition", "orders    0", "payments  11"]
    assert str(Table([])) == ""


def test_lag_is_a_table(memory):
    with KafkaProducer(bootstrap_servers=memory) as producer:
        produce(producer, "orders", b"a", b"b")
    with KafkaAdminClient(bootstrap_servers=memory) as admin:
        admin.alter_group_offsets("billing", {TopicPartition("orders", 0): OffsetAndMetadata(1)})
        lag = admin.consumer_lag("billing")
    assert "<th>lag</th>" in lag._repr_html_()
    assert str(lag).splitlines()[1].split() == ["orders", "0", "1", "2", "1", "None", "None"]
