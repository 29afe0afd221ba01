"""Taste profile: what a listener likes, learnt event by event, and always readable as its latest.

    python examples/taste_profile.py [DIRECTORY]

Plays, skips and saves move the weights of genres; the newest events count most. After each event
the listener's whole profile goes to a topic under the listener's key: the last record of a key is
the profile. A second run of the service starts from there, not from the first event.
"""

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

WEIGHT = {"played": 1.0, "skipped": -0.5, "saved": 3.0}
FADES = 0.9  # what an event leaves of the older weights
EVENTS = [
    ("nora", "played", ["jazz", "soul"]),
    ("nora", "saved", ["jazz"]),
    ("otto", "played", ["metal"]),
    ("nora", "skipped", ["pop"]),
    ("otto", "skipped", ["metal"]),
    ("otto", "played", ["folk"]),
]
LATER = [("nora", "played", ["pop"]), ("otto", "saved", ["folk"])]


def publish(address, events):
    with json_producer(address) as producer:
        for listener, action, genres in events:
            producer.send(
                "listening-events", key=listener, value={"action": action, "genres": genres}
            )


def latest_profiles(address):
    profiles = {}
    with json_consumer(address, "taste-profiles") as updates:
        for message in updates:
            profiles[message.key] = message.value
    return profiles


def learn(address):
    """Takes in new events; returns how many profiles it started from and how many events came."""
    profiles = latest_profiles(address)
    known, events = len(profiles), 0
    with json_producer(address) as producer:
        with json_consumer(address, "listening-events", group="taste-learner") as stream:
            for message in stream:
                profile = {
                    genre: weight * FADES for genre, weight in profiles.get(message.key, {}).items()
                }
                for genre in message.value["genres"]:
                    profile[genre] = profile.get(genre, 0) + WEIGHT[message.value["action"]]
                profiles[message.key] = profile
                producer.send("taste-profiles", key=message.key, value=profile)
                events += 1
    return known, events


def print_profiles(address):
    for listener, profile in sorted(latest_profiles(address).items()):
        ranked = sorted(profile.items(), key=lambda item: -item[1])
        print(f"{listener}: " + ", ".join(f"{genre} {weight:.2f}" for genre, weight in ranked))


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, listening_events=2, taste_profiles=2)
        for title, events in (("First events", EVENTS), ("Later, a new process", LATER)):
            publish(address, events)
            heading(title)
            print("started from {} profiles, took in {} events".format(*learn(address)))
            print_profiles(address)


if __name__ == "__main__":
    main()
