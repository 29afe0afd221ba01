"""Profile views: one stream of events, two services that read it each at its own pace.

    python examples/profile_views.py [DIRECTORY]

Views are keyed by the profile that was looked at, so that all views of a profile come in order. One
group counts visits and visitors; another tells profiles of visitors who are new to them.
"""

import random
from collections import Counter, defaultdict

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

PROFILES = ("ada", "grace", "linus", "ken")
VIEWS = 2_000


def track_views(address, seed=11):
    dice = random.Random(seed)
    with json_producer(address, linger_ms=5) as producer:
        for _ in range(VIEWS):
            profile = dice.choices(PROFILES, weights=(5, 4, 2, 1))[0]
            view = {"viewer": f"member-{int(dice.triangular(0, 400, 0))}", "source": "search"}
            producer.send("profile-views", key=profile, value=view)


def count_views(address):
    """profile -> (views, visitors), of what the group has not counted yet."""
    views, visitors = Counter(), defaultdict(set)
    with json_consumer(address, "profile-views", group="view-counter") as stream:
        for message in stream:
            views[message.key] += 1
            visitors[message.key].add(message.value["viewer"])
    return {profile: (views[profile], len(visitors[profile])) for profile in views}


def announce_first_visits(address):
    """Sends one event for each visitor that is new to a profile; returns how many."""
    seen = defaultdict(set)
    announced = 0
    with json_producer(address) as producer:
        with json_consumer(address, "profile-views", group="first-visits") as stream:
            for message in stream:
                viewer = message.value["viewer"]
                if viewer not in seen[message.key]:
                    seen[message.key].add(viewer)
                    producer.send("first-visits", key=message.key, value={"viewer": viewer})
                    announced += 1
    return announced


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, profile_views=4, first_visits=4)
        track_views(address)
        heading("Views per profile")
        counted = count_views(address)
        for profile, (views, visitors) in sorted(counted.items(), key=lambda item: -item[1][0]):
            print(f"{profile:<6} {views:>5} views by {visitors:>4} members")
        heading("First visits")
        print(announce_first_visits(address), "were announced by the other group")


if __name__ == "__main__":
    main()
