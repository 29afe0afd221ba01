"""Reads message definitions (*.kmsg).

A definition is a message line followed by its fields, one per line:

    # What the message is for.
    metadata 3 partition_record  versions 0-2  flexible 0+

    partition_id  int32                       = -1
    replicas      []int32      (broker_id)          # a sentence, where the name does not say it
    directories   []uuid   1+
    voters        []voter                           # the fields of a struct follow, indented
      voter_id    int32
    last_elr      []int32  2+  nullable tag 2 = null

    struct endpoint                                 # a struct that several fields use
      host        string

A message line has a kind (data, header, metadata, coordinator_key, coordinator_value, request,
response), an api key where the kind has one, the name, the versions that exist and those that are
flexible (compact lengths and tagged fields, KIP-482), `none` if none is. A request may add
`advertised VERSIONS`, or none, where clients are told of others than exist.

A field line has a name, a type, the versions that have the field (all, if not said), attributes,
a default, a sentence; a sentence that is too long stands on a line of its own above. Types: bool,
int8, int16, int32, int64, uint16, uint32, float64, string, uuid, bytes, records, a struct, or [] of
them.
Versions: `3`, `1-4`, `2+`. Attributes:

    nullable [VERSIONS]  may be null (from these versions on); without a default it is empty
    tag N                a tagged field, written only when it is not the default
    ignorable            dropped in versions that lack it; others are refused unless default
    key                  what a reader of the array may look it up by
    zero_copy            a view of the frame may stand for a copy; in requests all bytes are views
    flexible none        never compact
    (domain)             what the value means, such as (broker_id)

A default is an integer, true, false, null or absent: zero, false, empty.
The meaning is that of Kafka's own (clients/src/main/resources/common/message/README.md).
"""

import dataclasses
import pathlib
import re

KINDS_WITH_API_KEY = ("metadata", "coordinator_key", "coordinator_value", "request", "response")
KINDS = ("data", "header") + KINDS_WITH_API_KEY
INTEGERS = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint16": 2, "uint32": 4}
PRIMITIVES = (*INTEGERS, "bool", "float64", "string", "uuid", "bytes", "records")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*$")


class DefinitionError(Exception):
    def __init__(self, path, line, message):
        super().__init__(f"{path}:{line}: {message}")


@dataclasses.dataclass(frozen=True)
class Versions:
    """Versions from lowest to highest, both included; none when lowest > highest."""

    lowest: int
    highest: int

    def __contains__(self, version):
        return self.lowest <= version <= self.highest

    def __iter__(self):
        return iter(range(self.lowest, self.highest + 1))

    def covers(self, other):
        return all(version in self for version in other)


NO_VERSIONS = Versions(1, 0)


@dataclasses.dataclass
class Field:
    name: str
    type: str  # without []
    is_array: bool
    versions: Versions
    line: int
    nullable: Versions = NO_VERSIONS
    tag: int | None = None
    default: str | None = None
    ignorable: bool = False
    key: bool = False
    zero_copy: bool = False
    never_compact: bool = False
    domain: str | None = None
    about: str = ""


@dataclasses.dataclass
class Struct:
    name: str
    line: int
    about: str = ""
    fields: list[Field] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Message(Struct):
    kind: str = ""
    api_key: int | None = None
    versions: Versions = NO_VERSIONS
    flexible: Versions = NO_VERSIONS
    advertised: Versions = NO_VERSIONS  # of a request
    structs: dict[str, Struct] = dataclasses.field(default_factory=dict)


def read_file(path):
    """The messages of one file, checked. Raises DefinitionError."""
    return _Parser(path).parse(pathlib.Path(path).read_text(encoding="utf-8"))


class _Parser:
    def __init__(self, path):
        self.path = path
        self.line = 0
        self.messages = []
        self.sentences = []  # comment lines waiting for what they describe
        self.open_structs = []  # (indentation of the fields, struct), innermost last

    def fail(self, message, line=None):
        raise DefinitionError(self.path, line or self.line, message)

    def parse(self, text):
        for self.line, raw in enumerate(text.split("\n"), start=1):
            content = raw.strip()
            indentation = len(raw) - len(raw.lstrip())
            if not content:
                continue
            if content.startswith("#"):
                self.sentences.append(content[1:].strip())
                continue
            words = content.split()
            if words[0] == "struct":
                self.parse_struct(words)
            elif words[0] in KINDS and "versions" in words:
                self.parse_message(words)
            else:
                self.parse_field(content, indentation)
        for message in self.messages:
            self.check(message)
        return self.messages

    def take_sentences(self):
        about = "\n".join(self.sentences)
        self.sentences = []
        return about

    def parse_message(self, words):
        kind = words.pop(0)
        api_key = None
        if kind in KINDS_WITH_API_KEY:
            if not words[0].isdigit():
                self.fail(f"{kind} needs an api key before its name, not '{words[0]}'")
            api_key = int(words.pop(0))
        said = dict(zip(words[1::2], words[2::2]))
        known = ["versions", "flexible"] + ["advertised"] * (kind == "request")
        if len(words) % 2 == 0 or list(said) not in (known, known[:2]):
            self.fail("expected: KIND [API_KEY] NAME versions VERSIONS flexible VERSIONS")
        message = Message(self.check_name(words[0]), self.line, self.take_sentences())
        message.kind, message.api_key = kind, api_key
        message.versions = self.parse_closed_versions(said["versions"])
        message.flexible = self.parse_versions(said["flexible"], message.versions)
        message.advertised = self.parse_closed_versions(said.get("advertised", said["versions"]))
        flexible = message.flexible
        if flexible != NO_VERSIONS and flexible.highest != message.versions.highest:
            self.fail("flexible versions go on to the last version")
        self.messages.append(message)
        self.open_structs = [(0, message)]

    def parse_struct(self, words):
        if not self.messages:
            self.fail("a struct belongs to the message above it; there is none")
        if len(words) != 2:
            self.fail("expected: struct NAME")
        struct = self.add_struct(words[1])
        struct.about = self.take_sentences()
        self.open_structs = [(2, struct)]

    def add_struct(self, name):
        message = self.messages[-1]
        if name in message.structs:
            self.fail(f"{name} is defined twice in {message.name}")
        struct = message.structs[self.check_name(name)] = Struct(name, self.line)
        return struct

    def parse_field(self, content, indentation):
        if not self.messages:
            self.fail(f"'{content.split()[0]}' is not one of {', '.join(KINDS)}")
        while self.open_structs and self.open_structs[-1][0] > indentation:
            self.open_structs.pop()
        if not self.open_structs:
            self.fail("a field outside of a message or struct")
        expected, owner = self.open_structs[-1]
        if indentation == expected + 2 and owner.fields:
            parent = owner.fields[-1]
            if parent.type in PRIMITIVES:
                self.fail(f"{parent.name} is a {parent.type}; it has no fields")
            owner = self.add_struct(parent.type)
            self.open_structs.append((indentation, owner))
        elif indentation != expected:
            self.fail(f"indentation of {indentation}, where {expected} was expected")
        content, _, sentence = content.partition("#")
        self.sentences += [sentence.strip()] if sentence else []
        field = self.parse_field_words(content)
        if any(field.name == other.name for other in owner.fields):
            self.fail(f"{field.name} is defined twice in {owner.name}")
        owner.fields.append(field)

    def parse_field_words(self, content):
        content, _, default = (part.strip() for part in content.partition("="))
        words = content.split()
        if len(words) < 2:
            self.fail("expected: NAME TYPE [VERSIONS] [ATTRIBUTES] [= DEFAULT] [# SENTENCE]")
        everything = self.messages[-1].versions
        is_array = words[1].startswith("[]")
        field = Field(self.check_name(words[0]), words[1].removeprefix("[]"), is_array,
                      everything, self.line, default=default or None)
        words = words[2:]
        if words and self.is_versions(words[0]):
            field.versions = self.parse_versions(words.pop(0), everything)
        field.about = self.take_sentences()
        while words:
            self.parse_attribute(field, words)
        return field

    def parse_attribute(self, field, words):
        word = words.pop(0)
        if word == "nullable":
            field.nullable = field.versions
            if words and self.is_versions(words[0]):
                field.nullable = self.parse_versions(words.pop(0), field.versions)
        elif word == "tag" and words and words[0].isdigit():
            field.tag = int(words.pop(0))
        elif word == "flexible" and words and words.pop(0) == "none":
            field.never_compact = True
        elif word in ("ignorable", "key", "zero_copy"):
            setattr(field, word, True)
        elif word.startswith("(") and word.endswith(")"):
            field.domain = self.check_name(word[1:-1])
        else:
            self.fail(f"unknown attribute '{word}' of {field.name}")

    def is_versions(self, word):
        return re.fullmatch(r"\d+(\+|-\d+)?", word) is not None

    def parse_closed_versions(self, text):
        if text.endswith("+"):
            self.fail(f"the versions of a message end somewhere: '{text}'")
        return self.parse_versions(text, None)

    def parse_versions(self, text, within):
        if text == "none":
            return NO_VERSIONS
        if not self.is_versions(text):
            self.fail(f"'{text}' is not a range of versions (3, 1-4, 2+, none)")
        if text.endswith("+"):
            versions = Versions(int(text[:-1]), within.highest)
        else:
            low, _, high = text.partition("-")
            versions = Versions(int(low), int(high or low))
        if versions.lowest > versions.highest or within and not within.covers(versions):
            limits = f" of {within.lowest}-{within.highest}" if within else ""
            self.fail(f"versions {text} are outside{limits}")
        return versions

    def check_name(self, name):
        if not NAME.match(name):
            self.fail(f"'{name}' is not a snake_case name")
        return name

    def check(self, message):
        for struct in [message, *message.structs.values()]:
            tags = [field for field in struct.fields if field.tag is not None]
            if sorted(field.tag for field in tags) != list(range(len(tags))):
                self.fail(f"the tags of {struct.name} are not 0, 1, 2, ...", struct.line)
            for field in struct.fields:
                self.check_field(message, field)

    def check_field(self, message, field):
        if field.type not in PRIMITIVES and field.type not in message.structs:
            self.fail(f"unknown type '{field.type}'", field.line)
        if field.name in message.structs:
            self.fail(f"{field.name} names a field and a struct; rename the struct (its name is "
                      "not on the wire)", field.line)
        if field.tag is not None and not message.flexible.covers(field.versions):
            self.fail(f"{field.name} has a tag in versions that are not flexible", field.line)
        if field.is_array and field.type in ("bool", "records"):
            self.fail(f"arrays of {field.type} are not supported", field.line)
        if field.nullable != NO_VERSIONS and not field.is_array:
            if field.type in INTEGERS or field.type in ("bool", "float64", "uuid"):
                self.fail(f"a {field.type} cannot be null", field.line)
        if field.default is not None and not self.default_fits(field):
            self.fail(f"'{field.default}' is no default for {field.name}", field.line)

    def default_fits(self, field):
        if field.default == "null":
            return field.nullable == field.versions
        if field.is_array:
            return False
        if field.type in INTEGERS:
            return re.fullmatch(r"-?\d+|0x[0-9a-f]+", field.default) is not None
        return field.type == "bool" and field.default in ("true", "false")
