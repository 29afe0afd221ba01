"""Hourly viewing statistics: what each viewer watched in each hour, kept up to date as views come.

    python examples/hourly_statistics.py [DIRECTORY]

Views are grouped by viewer and by the hour in which they happened (the record's timestamp). After
each batch the statistics that changed go to a topic keyed by viewer and hour; its last record of a
key is the result. The state can be lost: it is read back from that topic before new views are read.
"""

import random

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

HOUR_MS = 3_600_000
START_MS = 1_699_999_200_000  # a full hour
VIEWERS = ("kai", "lou", "max")
GENRES = ("drama", "comedy", "news")
VIEWS = 600


def send_views(address, hours, seed):
    """Views of these hours, `VIEWS` in all."""
    dice = random.Random(seed)
    with json_producer(address, linger_ms=5) as producer:
        for number in range(VIEWS):
            hour = hours[number * len(hours) // VIEWS]
            view = {"genre": dice.choice(GENRES), "minutes": dice.randrange(1, 50)}
            producer.send(
                "viewing-events",
                key=dice.choice(VIEWERS),
                value=view,
                timestamp_ms=START_MS + hour * HOUR_MS + dice.randrange(HOUR_MS),
            )


def latest_statistics(address):
    """{"viewer hour": {views, minutes, genres}}"""
    statistics = {}
    with json_consumer(address, "viewing-statistics") as updates:
        for message in updates:
            statistics[message.key] = message.value
    return statistics


def aggregate(address):
    """Takes in new views; returns (views, updates sent)."""
    statistics = latest_statistics(address)
    views = updates = 0
    with json_producer(address) as producer:
        with json_consumer(address, "viewing-events", group="viewing-statistics") as consumer:
            while batches := consumer.poll(timeout_ms=500):
                changed = set()
                for message in (message for batch in batches.values() for message in batch):
                    hour = (message.timestamp - START_MS) // HOUR_MS
                    key = f"{message.key} {hour}"
                    add_view(statistics.setdefault(key, new_statistics()), message.value)
                    changed.add(key)
                    views += 1
                for key in sorted(changed):
                    producer.send("viewing-statistics", key=key, value=statistics[key])
                updates += len(changed)
                producer.flush()
                consumer.commit()
    return views, updates


def new_statistics():
    return {"views": 0, "minutes": 0, "genres": {}}


def add_view(statistics, view):
    statistics["views"] += 1
    statistics["minutes"] += view["minutes"]
    genres = statistics["genres"]
    genres[view["genre"]] = genres.get(view["genre"], 0) + 1


def print_statistics(address):
    print("viewer  hour  views  minutes  likes most")
    for key, found in sorted(latest_statistics(address).items()):
        viewer, hour = key.split()
        favourite = max(sorted(found["genres"]), key=found["genres"].get)
        print(f"{viewer:<6}  {hour:>4}  {found['views']:>5}  {found['minutes']:>7}  {favourite}")


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, viewing_events=2, viewing_statistics=1)
        for title, hours in (("The first two hours", (0, 1)), ("One hour more, some late", (1, 2))):
            send_views(address, hours, seed=hours[0])
            views, _ = aggregate(address)
            heading(title)
            print(views, "views came in")
            print_statistics(address)


if __name__ == "__main__":
    main()
