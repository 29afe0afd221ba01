"""Killed on a file system that forgets what was not synced: what was acknowledged is there.

First the file system itself is proven, then a program that acknowledges too early is caught, then
ringlog's victims die on it. RINGLOG_FORGETS sets the number of power cuts, RINGLOG_SEED what they
spare. Needs libfuse3 and /dev/fuse; skipped by name without.
"""

import ctypes
import mmap
import os
import random
from pathlib import Path

import pytest
import ringlog
from forgetful_mount import ForgetfulMount, MountUnavailable
from kill_loop import DURABLE, KillLoop, said_until_killed

FORGETS = int(os.environ.get("RINGLOG_FORGETS", "20"))
SEED = int(os.environ.get("RINGLOG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
PLAIN_VICTIM = Path(__file__).parent / "forgetful_fs" / "plain_victim.py"
PAGE = 4096


@pytest.fixture
def mounted(tmp_path):
    """Mounts with options; unmounted at the test's end."""
    mounts = []

    def make(*options: str) -> ForgetfulMount:
        mount = ForgetfulMount(tmp_path / "mount", *options)
        try:
            mounts.append(mount.__enter__())
        except MountUnavailable as unavailable:
            pytest.skip(str(unavailable))
        return mount

    yield make
    for mount in mounts:
        mount.__exit__()


@pytest.fixture
def mount(mounted):
    return mounted()


def sync(path: Path) -> None:
    """fsync of a file or a directory."""
    opened = os.open(path, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)


def make_file(mount: ForgetfulMount, name: str, content: bytes) -> Path:
    """A file whose name and bytes are durable."""
    path = mount / name
    path.write_bytes(content)
    sync(path)
    sync(mount.directory)
    return path


# --- the file system itself ---------------------------------------------------------------------


def test_bytes_live_when_synced(mount):
    kept = make_file(mount, "kept", b"synced")
    lost = make_file(mount, "lost", b"")
    lost.write_bytes(b"not synced")
    assert lost.read_bytes() == b"not synced"
    mount.forget()
    assert kept.read_bytes() == b"synced"
    assert lost.read_bytes() == b""
    assert mount.events()["pages forgotten"] == 1


def test_names_live_when_their_directory_is_synced(mount):
    sync_of_file_only = mount / "nameless"
    sync_of_file_only.write_bytes(b"synced")
    sync(sync_of_file_only)
    mount.forget()
    assert os.listdir(mount.directory) == []
    (mount / "d").mkdir()
    sync(mount.directory)
    (mount / "d" / "inner").mkdir()
    mount.forget()
    assert os.listdir(mount.directory) == ["d"]
    assert os.listdir(mount / "d") == []


def test_renames_and_removals_are_undone(mount):
    for name in ("renamed", "replacing", "removed"):
        make_file(mount, name, name.encode())
    os.rename(mount / "renamed", mount / "elsewhere")
    os.rename(mount / "replacing", mount / "elsewhere")
    os.unlink(mount / "removed")
    assert os.listdir(mount.directory) == ["elsewhere"]
    mount.forget()
    assert sorted(os.listdir(mount.directory)) == ["removed", "renamed", "replacing"]
    assert (mount / "renamed").read_bytes() == b"renamed"
    os.rename(mount / "renamed", mount / "elsewhere")
    os.unlink(mount / "removed")
    sync(mount.directory)
    mount.forget()
    assert sorted(os.listdir(mount.directory)) == ["elsewhere", "replacing"]


def test_changes_of_size_are_undone(mount):
    path = make_file(mount, "f", b"a" * 10_000)
    os.truncate(path, 5)
    assert path.read_bytes() == b"aaaaa"
    mount.forget()
    assert path.read_bytes() == b"a" * 10_000
    os.truncate(path, 5)
    os.truncate(path, 7000)
    sync(path)
    mount.forget()
    assert path.read_bytes() == b"aaaaa" + bytes(6995)


# RWF_DSYNC and O_DSYNC reach a FUSE file system twice: as a flag of the write, and as a sync.
@pytest.mark.parametrize("flags", [0, os.O_DIRECT], ids=["cached", "direct"])
def test_durable_writes_live(mount, flags):
    path = make_file(mount, "f", bytes(4 * PAGE))
    page = mmap.mmap(-1, PAGE)  # aligned, as O_DIRECT wants it
    page.write(b"d" * PAGE)
    before = mount.events()
    opened = os.open(path, os.O_RDWR | flags)
    os.pwritev(opened, [page], PAGE, os.RWF_DSYNC)
    os.close(opened)
    opened = os.open(path, os.O_RDWR | os.O_DSYNC | flags)
    os.pwritev(opened, [page], 2 * PAGE)
    os.close(opened)
    opened = os.open(path, os.O_RDWR | flags)
    os.pwritev(opened, [page], 3 * PAGE)
    os.close(opened)
    told = mount.events()
    assert told["durable writes"] == 2
    print({name: count - before.get(name, 0) for name, count in told.items()})
    mount.forget()
    assert path.read_bytes() == bytes(PAGE) + b"d" * (2 * PAGE) + bytes(PAGE)


# The kernel does not tell a FUSE file system of it: why io/file_system_type.h trusts it not.
def test_syncfs_makes_nothing_durable(mount):
    path = make_file(mount, "f", b"")
    path.write_bytes(b"not synced")
    opened = os.open(mount.directory, os.O_RDONLY)
    assert ctypes.CDLL(None, use_errno=True).syncfs(opened) == 0
    os.close(opened)
    mount.forget()
    assert path.read_bytes() == b""


def test_files_opened_before_are_void(mount):
    path = make_file(mount, "f", b"old")
    opened = os.open(path, os.O_RDWR)
    mount.forget()
    with pytest.raises(OSError):
        os.write(opened, b"new")
        os.fsync(opened)
    os.close(opened)
    assert path.read_bytes() == b"old"


def test_a_seed_spares_some_pages_and_names(mount):
    pages = 16
    left = {}
    for seed in (1, 1, 2):
        path = make_file(mount, f"f{len(left)}", b"o" * (pages * PAGE))
        path.write_bytes(b"n" * (pages * PAGE))
        names = {f"{seed} {number}" for number in range(10)}
        for name in names:
            (mount / name).touch()
        mount.forget(seed)
        content = path.read_bytes()
        fates = {content[at : at + PAGE][:1] for at in range(0, len(content), PAGE)}
        assert fates == {b"o", b"n"}
        spared = names & set(os.listdir(mount.directory))
        assert 0 < len(spared) < len(names)
        whole = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
        assert all(page in (b"o" * PAGE, b"n" * PAGE) for page in whole)
        for name in spared:
            os.unlink(mount / name)
        sync(mount.directory)
        left.setdefault(seed, set()).add(content)
    assert len(left[1]) == 1 and left[1] != left[2]


# --- who acknowledges too early is caught ---------------------------------------------------------


def acknowledged_and_found(mount: ForgetfulMount, *options: str) -> tuple[set[str], set[str]]:
    path = mount / "lines"
    said = said_until_killed([str(PLAIN_VICTIM), str(path), *options], 0.1)
    mount.forget()
    return set(said), set(path.read_text().split()) if path.exists() else set()


def test_a_program_that_does_not_sync_is_caught(mount):
    said, found = acknowledged_and_found(mount)
    assert said - found


def test_a_program_that_syncs_is_not(mount):
    said, found = acknowledged_and_found(mount, "--sync")
    assert len(said) > 1
    assert said <= found


# --- ringlog ------------------------------------------------------------------------------------


def die_again_and_again(mount: ForgetfulMount, monkeypatch, lives: int) -> None:
    print(f"RINGLOG_SEED={SEED} RINGLOG_FORGETS={FORGETS}")
    dice = random.Random(SEED)
    loop = KillLoop(mount / "log", dice, DURABLE)
    for life in range(lives):
        monkeypatch.setenv("RINGLOG_IO", ("uring", "epoll")[life % 2])
        loop.live_and_die()
        mount.forget(None if life % 3 == 0 else dice.randrange(1 << 32))
        if life % 5 == 4 or life == lives - 1:
            loop.check()
            mount.forget()  # what was closed is durable
    loop.check()
    loop.check_deaths()
    print(mount.events())


def test_acknowledged_survives_power_cuts(mount, monkeypatch):
    die_again_and_again(mount, monkeypatch, FORGETS)


def test_ringlog_over_syncs_that_lie_is_caught(mounted):
    mount = mounted("--ignore-syncs")
    loop = KillLoop(mount / "log", random.Random(SEED), DURABLE)
    loop.live_and_die()
    assert sum(map(sum, loop.acknowledged)) > 0
    mount.forget()
    assert mount.events()["pages forgotten"] > 0
    with pytest.raises(AssertionError, match="lost what was acknowledged"):
        loop.check()
    ringlog.close(str(loop.directory))


# As old FUSE file systems do: such a write is then a write and a sync.
def test_acknowledged_survives_without_durable_writes(mounted, monkeypatch):
    mount = mounted("--refuse-durable-writes")
    die_again_and_again(mount, monkeypatch, max(FORGETS // 5, 2))
    assert mount.events()["durable writes refused"] > 0
