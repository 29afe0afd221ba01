"""The message definitions say what Kafka's say; a wrong one is answered by file and line."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROTOCOL = TOP / "cpp" / "protocol"
SHARED = pathlib.Path(os.environ.get("RINGLOG_SHARED", TOP.parent / "shared"))
REFERENCE = SHARED / "reference" / "kafka_messages"

sys.path.insert(0, str(PROTOCOL))
import kmsg  # noqa: E402

WIRE = ("request", "response")
DEFINITIONS = sorted(PROTOCOL.rglob("*.kmsg"))


def snake_case(name):
    words = re.sub(
        r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.replace("KRaft", "Kraft")
    )
    return words.lower()


def reference_versions(text, within):
    """The versions of `text` ('v0+', '3', '1-4', 'none') that lie within others."""
    text = text.removeprefix("v")
    if text in ("none", "?"):
        return kmsg.NO_VERSIONS
    low, _, high = text.rstrip("+").partition("-")
    highest = 10_000 if text.endswith("+") else int(high or low)
    versions = [version for version in within if int(low) <= version <= highest]
    return kmsg.Versions(versions[0], versions[-1]) if versions else kmsg.NO_VERSIONS


def reference_field(line, message):
    words = re.split(r"  +", line.strip())
    field = {
        "name": words[0],
        "type": words[1],
        "nullable": kmsg.NO_VERSIONS,
        "tag": None,
        "default": None,
        "ignorable": False,
        "key": False,
        "zero_copy": False,
        "never_compact": False,
        "domain": None,
        "fields": [],
    }
    versions = words[2]
    for word in words[3:]:
        if word.startswith("null:"):
            field["nullable"] = word[5:]
        elif word.startswith("tag "):
            tag, tagged_versions = word[4:].split("@")
            field["tag"] = int(tag)
            versions = tagged_versions if versions == "v?" else versions
        elif word.startswith("default="):
            # None: the definition has a JSON null, which Kafka takes for no default at all.
            default = word.removeprefix("default=")
            same = {"None": None, "": None, "False": "false", "True": "true"}
            field["default"] = same.get(default, default)
        elif word == "flex:none":
            field["never_compact"] = True
        elif word.startswith("("):
            field["domain"] = snake_case(word[1:-1])
        else:
            field[{"zerocopy": "zero_copy"}.get(word, word)] = True
    field["versions"] = reference_versions(versions, message["versions"])
    if field["nullable"] != kmsg.NO_VERSIONS:
        field["nullable"] = reference_versions(field["nullable"], field["versions"])
    return field


def read_reference(file):
    """records.txt or requests.txt as {name: message}."""
    messages, levels, structs = {}, [], {}
    for line in (REFERENCE / file).read_text(encoding="utf-8").split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        indentation = len(line) - len(line.lstrip())
        if indentation == 0:
            head = re.match(r"([\w-]+) (?:(\S+) )?(\w+)  versions (\S+)  flexible (\S+)", line)
            kind, api_key, name, versions, flexible = head.groups()
            low, _, high = versions.replace("none", "1-0").partition("-")
            message = {
                "kind": kind.replace("-", "_"),
                "fields": [],
                "structs": {},
                "api_key": int(api_key) if api_key not in (None, "-") else None,
                "versions": kmsg.Versions(int(low), int(high or low)),
            }
            message["flexible"] = reference_versions(flexible, message["versions"])
            messages[snake_case(name)] = message
            levels = [message["fields"]]
        elif line.strip().startswith("struct "):
            structs = messages[list(messages)[-1]]["structs"]
            levels = [None, structs.setdefault(line.split()[1], [])]
        else:
            message = messages[list(messages)[-1]]
            field = reference_field(line, message)
            depth = indentation // 2 - 1
            levels = levels[: depth + 1] + [field["fields"]]
            levels[depth].append(field)
    return messages


def our_field(message, field):
    attributes = (
        "nullable",
        "tag",
        "default",
        "ignorable",
        "key",
        "zero_copy",
        "never_compact",
        "domain",
        "versions",
        "name",
    )
    same = {name: getattr(field, name) for name in attributes}
    same["default"] = field.default
    same["is_array"] = field.is_array
    if field.type in kmsg.PRIMITIVES:
        same["type"] = field.type
    else:
        same["fields"] = [
            our_field(message, member) for member in message.structs[field.type].fields
        ]
    return same


def their_field(message, field):
    same = {name: value for name, value in field.items() if name not in ("type", "fields")}
    element = field["type"].removeprefix("[]")
    same["is_array"] = field["type"] != element
    if element in kmsg.PRIMITIVES:
        same["type"] = element
    else:
        members = field["fields"] or message["structs"][element]
        same["fields"] = [their_field(message, member) for member in members]
    return same


def definitions(*kinds):
    return {
        message.name: message
        for path in DEFINITIONS
        for message in kmsg.read_file(path)
        if message.kind in kinds
    }


def check_same(message, theirs):
    for attribute in ("kind", "api_key", "versions", "flexible"):
        assert getattr(message, attribute) == theirs[attribute], (message.name, attribute)
    assert [our_field(message, field) for field in message.fields] == [
        their_field(theirs, field) for field in theirs["fields"]
    ], message.name


needs_reference = pytest.mark.skipif(
    not REFERENCE.exists(), reason="../shared/reference is not there"
)


@needs_reference
def test_definitions_of_stored_records_are_kafkas():
    reference = read_reference("records.txt")
    ours = definitions(*(kind for kind in kmsg.KINDS if kind not in WIRE))
    assert len(reference) > 80
    assert sorted(ours) == sorted(reference)
    for name, theirs in reference.items():
        check_same(ours[name], theirs)


@needs_reference
def test_definitions_of_requests_and_responses_are_kafkas():
    reference = read_reference("requests.txt")
    ours = definitions(*WIRE)
    assert len(ours) > 90
    for name, message in ours.items():
        check_same(message, reference[name])


@needs_reference
def test_versions_advertised_are_kafkas():
    advertised = {}
    for line in (REFERENCE / "advertised_versions.tsv").read_text().splitlines():
        if line[0].isdigit():
            key, _, low, high, *_ = line.split("\t")
            advertised[int(key)] = kmsg.Versions(int(low), int(high))
    assert len(advertised) > 60
    for message in definitions("request").values():
        assert message.advertised == advertised.get(message.api_key, kmsg.NO_VERSIONS), message.name


def test_every_message_says_what_it_is_for():
    for path in DEFINITIONS:
        for message in kmsg.read_file(path):
            assert message.about, f"{path}: {message.name}"


HEAD = "# About.\nmetadata 1 thing_record  versions 0-2  flexible 1+\n\n"


def generate(tmp_path, text):
    (tmp_path / "folder").mkdir(exist_ok=True)
    (tmp_path / "folder" / "thing.kmsg").write_text(text, encoding="utf-8")
    return subprocess.run(
        [
            sys.executable,
            "-B",
            PROTOCOL / "generate.py",
            tmp_path,
            tmp_path / "out",
            "folder/thing.kmsg",
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("nonsense\n", 1, "'nonsense' is not one of data"),
        ("metadata thing_record  versions 0  flexible none\n", 1, "needs an api key"),
        ("metadata 1 ThingRecord  versions 0  flexible none\n", 1, "not a snake_case name"),
        ("data thing  versions 0+  flexible none\n", 1, "end somewhere"),
        ("data thing  versions 0  flexible none  advertised 0\n", 1, "expected: KIND"),
        ("request 1 a_request  versions 0  flexible 0+  advertised 0+\n", 1, "end somewhere"),
        ("request 1 a_request  versions 0  flexible none\n", 1, "then NAME_response"),
        (HEAD + "name  strin\n", 4, "unknown type 'strin'"),
        (HEAD + "name  string  3+\n", 4, "outside of 0-2"),
        (HEAD + "name  string  nulable\n", 4, "unknown attribute 'nulable'"),
        (HEAD + "name  string\nname  int8\n", 5, "defined twice"),
        (HEAD + "name  string  tag 0\n", 4, "not flexible"),
        (HEAD + "name  string  1+  tag 1\n", 2, "tags of thing_record are not 0, 1, 2"),
        (HEAD + "name  int32  nullable\n", 4, "cannot be null"),
        (HEAD + "name  int32  = many\n", 4, "no default"),
        (HEAD + "name  string\n  inner  int8\n", 5, "has no fields"),
        (HEAD + "topic  []topic\n  id  int8\n", 4, "rename the struct"),
        (HEAD + "operator  string\n", 4, "means something in C++"),
        (HEAD + "   name  string\n", 4, "indentation of 3"),
    ],
)
def test_a_wrong_definition_is_answered_by_file_and_line(tmp_path, text, line, message):
    run = generate(tmp_path, text)
    assert run.returncode != 0
    assert f"thing.kmsg:{line}: " in run.stderr
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def test_unchanged_definitions_leave_the_generated_files_alone(tmp_path):
    assert generate(tmp_path, HEAD + "name  string\n").returncode == 0
    header = tmp_path / "out" / "folder" / "thing.h"
    before = header.stat().st_mtime_ns
    assert generate(tmp_path, HEAD + "name  string\n").returncode == 0
    assert header.stat().st_mtime_ns == before
    assert generate(tmp_path, HEAD + "name  string\nsize  int32\n").returncode == 0
    assert "size" in header.read_text(encoding="utf-8")
