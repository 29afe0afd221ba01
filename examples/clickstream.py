"""Clickstream: clicks counted per page in windows of five minutes.

    python examples/clickstream.py [DIRECTORY]

Clicks carry the time at which they happened as the record's timestamp, and that time decides their
window, not the time of reading. A window is closed, and its count sent on, when a click arrives
that is later than its end by the grace time; a click that is later than that is counted as late.
"""

import random
from collections import Counter

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

WINDOW_MS = 5 * 60_000
GRACE_MS = 60_000
START_MS = 1_700_000_100_000  # a multiple of the window
CLICKS = 3_000
PAGES = ("/home", "/laptops", "/basket", "/help")


def clicks(seed=5):
    """Twenty minutes of clicks; some arrive up to half a minute late, one very late."""
    dice = random.Random(seed)
    for number in range(CLICKS):
        happened_ms = START_MS + number * 4 * WINDOW_MS // CLICKS - dice.randrange(30_000)
        page = dice.choices(PAGES, weights=(8, 4, 2, 1))[0]
        yield f"user-{dice.randrange(50)}", page, max(happened_ms, START_MS)
    yield "user-7", "/home", START_MS


def send_clicks(address):
    with json_producer(address, linger_ms=5) as producer:
        for user, page, happened_ms in clicks():
            producer.send("clickstream", key=user, value={"page": page}, timestamp_ms=happened_ms)


def count_windows(address):
    """Reads the clicks and sends each closed window's counts; returns how many clicks were late."""
    open_windows, closed_until_ms, late = {}, 0, 0
    with json_producer(address) as producer:

        def close_windows(end_ms):
            for start_ms in sorted(start for start in open_windows if start + WINDOW_MS <= end_ms):
                for page, count in sorted(open_windows.pop(start_ms).items()):
                    stats = {"window_start_ms": start_ms, "clicks": count}
                    producer.send(
                        "page-view-stats", key=page, value=stats, timestamp_ms=start_ms + WINDOW_MS
                    )

        with json_consumer(address, "clickstream", group="click-counter") as stream:
            for message in stream:
                start_ms = message.timestamp - message.timestamp % WINDOW_MS
                if start_ms + WINDOW_MS <= closed_until_ms:
                    late += 1
                    continue
                open_windows.setdefault(start_ms, Counter())[message.value["page"]] += 1
                if message.timestamp - GRACE_MS > closed_until_ms:
                    closed_until_ms = message.timestamp - GRACE_MS
                    close_windows(closed_until_ms)
        close_windows(max(open_windows, default=0) + WINDOW_MS)
    return late


def print_windows(address):
    windows = {}
    with json_consumer(address, "page-view-stats") as stats:
        for message in stats:
            start_ms = message.value["window_start_ms"]
            windows.setdefault(start_ms, {})[message.key] = message.value["clicks"]
    print("minute  " + "".join(f"{page:>10}" for page in PAGES))
    for start_ms, counts in sorted(windows.items()):
        minute = (start_ms - START_MS) // 60_000
        print(f"{minute:>6}  " + "".join(f"{counts.get(page, 0):>10}" for page in PAGES))
    print("total clicks:", sum(sum(counts.values()) for counts in windows.values()))


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, clickstream=1, page_view_stats=1)
        send_clicks(address)
        late = count_windows(address)
        heading("Clicks per page and five minutes")
        print_windows(address)
        print("too late to count:", late)


if __name__ == "__main__":
    main()
