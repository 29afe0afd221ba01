"""The soak for a few seconds; `./x soak` does it for long."""

import soak

SECONDS = 9


def test_nothing_grows(tmp_path):
    run = soak.Soak(tmp_path / "data", SECONDS)
    samples = run.run()
    assert run.consumed > 0 and run.topics > 2
    assert soak.growth(samples) == []


def test_growth_is_noticed():
    flat = soak.Sample(100 << 20, 50, 1 << 20, 1 << 20)
    more_memory = soak.Sample(150 << 20, 50, 1 << 20, 1 << 20)
    more_descriptors = soak.Sample(100 << 20, 90, 1 << 20, 1 << 20)
    too_long = soak.Sample(100 << 20, 50, 1 << 30, 1 << 30)
    assert soak.growth([flat] * 9) == []
    for grown, problems in ((more_memory, 1), (more_descriptors, 1), (too_long, 2)):
        assert len(soak.growth([flat] * 6 + [grown] * 3)) == problems
