"""Trips: the state of a ride is built from its events, and only legal steps are taken.

    python examples/trips.py [DIRECTORY]

All events of a trip have its id as their key and lie in one partition, in order. To look at one
trip it is enough to read that partition; `KafkaProducer.partitions_for` and Kafka's hash say which.
"""

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer
from ringlog import TopicPartition
from ringlog.partitioner import DefaultPartitioner

TOPIC = "trip-events"
NEXT_STATE = {
    (None, "requested"): "waiting",
    ("waiting", "matched"): "driver on the way",
    ("driver on the way", "started"): "riding",
    ("riding", "moved"): "riding",
    ("riding", "completed"): "completed",
    ("waiting", "cancelled"): "cancelled",
    ("driver on the way", "cancelled"): "cancelled",
}
EVENTS = [
    ("trip-1", "requested", {"rider": "mia", "from": "station", "to": "harbour"}),
    ("trip-2", "requested", {"rider": "tom", "from": "airport", "to": "centre"}),
    ("trip-1", "matched", {"driver": "eva"}),
    ("trip-3", "requested", {"rider": "joe", "from": "park", "to": "zoo"}),
    ("trip-1", "started", {}),
    ("trip-2", "cancelled", {"by": "tom"}),
    ("trip-1", "moved", {"km": 2.5}),
    ("trip-1", "moved", {"km": 1.7}),
    ("trip-2", "matched", {"driver": "lea"}),  # too late: refused when it is read
    ("trip-1", "completed", {"fare": 14}),
]


class Trip:
    def __init__(self):
        self.state = None
        self.facts = {}
        self.km = 0.0
        self.refused = []

    def apply(self, event):
        kind = event["event"]
        state = NEXT_STATE.get((self.state, kind))
        if state is None:
            self.refused.append(f"{kind} while {self.state}")
            return
        self.state = state
        self.km += event["data"].get("km", 0)
        self.facts.update({name: value for name, value in event["data"].items() if name != "km"})


def publish(address):
    with json_producer(address) as producer:
        for trip, event, data in EVENTS:
            producer.send(TOPIC, key=trip, value={"event": event, "data": data})


def rebuild(address, partitions):
    """trip id -> Trip, from the events in these partitions."""
    trips = {}
    with json_consumer(address) as consumer:
        consumer.assign([TopicPartition(TOPIC, partition) for partition in partitions])
        for message in consumer:
            trips.setdefault(message.key, Trip()).apply(message.value)
    return trips


def partition_of(address, trip):
    with json_producer(address) as producer:
        numbers = sorted(producer.partitions_for(TOPIC))
    return DefaultPartitioner()(trip.encode(), numbers, numbers)


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, trip_events=3)
        publish(address)
        heading("All trips")
        for trip_id, trip in sorted(rebuild(address, range(3)).items()):
            print(f"{trip_id}: {trip.state}, {trip.km:.1f} km, {trip.facts}")
            for reason in trip.refused:
                print(f"        refused: {reason}")
        heading("One trip, from its partition alone")
        partition = partition_of(address, "trip-1")
        trip = rebuild(address, [partition])["trip-1"]
        print(f"trip-1 lies in partition {partition}: {trip.state}, fare {trip.facts['fare']}")


if __name__ == "__main__":
    main()
