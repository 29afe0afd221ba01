"""Turns message definitions (kmsg.py) into C++: one struct per message for all its versions.

A generated struct has the members of message.h's contract:

    static constexpr message_info info;
    static M decode(reader& in, std::int16_t schema_version);
    void encode(writer& out, std::int16_t schema_version) const;
    static void for_each_field(M-or-const-M& self, std::int16_t schema_version, visitor);
    bool operator==(const M&) const;
    unknown_tagged_fields, if a version is flexible

It owns its values, except that the strings and bytes of a request or header, and the records of any
message, are views: a decoded message lives no longer than the frame that it was read from.
"""

import pathlib

import kmsg

CPP_TYPES = {"bool": "bool", "float64": "double", "string": "std::string", "uuid": "uuid",
             "bytes": "byte_buffer", "records": "records_ref"}
CPP_TYPES |= {name: f"std::{name}_t" for name in kmsg.INTEGERS}
VIEW_TYPES = CPP_TYPES | {"string": "std::string_view", "bytes": "bytes_ref"}
KINDS_OF_VIEWS = ("request", "header")
CPP_KEYWORDS = """alignas and asm auto bool break case catch char class const continue default
delete do double else enum explicit export extern false float for friend goto if inline int long
mutable namespace new not operator or private protected public register return short signed sizeof
static struct switch template this throw true try typedef typename union unsigned using virtual
void volatile while xor""".split()
# What the generated code says itself.
RESERVED = {*CPP_KEYWORDS, "info", "decode", "encode", "for_each_field", "unknown_tagged_fields",
            "uuid", "byte_buffer", "bytes_ref", "records_ref", "reader", "writer", "self", "in",
            "out", "fields", "tagged", "payload", "item", "visit", "schema_version"}
COLUMNS = 100
NOTICE = "// Generated from {source}; change that file instead.\n"


def camel_case(name):
    first, *rest = name.split("_")
    return first + "".join(word[0].upper() + word[1:] for word in rest)


def is_struct(field):
    return field.type not in kmsg.PRIMITIVES


def is_optional(field):
    return field.nullable != kmsg.NO_VERSIONS


def condition(versions, everything):
    """A C++ condition for "the schema version is in versions"; None where it always holds."""
    parts = []
    if versions.lowest > everything.lowest:
        parts.append(f"schema_version >= {versions.lowest}")
    if versions.highest < everything.highest:
        parts.append(f"schema_version <= {versions.highest}")
    return " && ".join(parts) or None


class StructWriter:
    """Writes one struct (or message) of `message` as C++."""

    def __init__(self, message, struct):
        self.message = message
        self.struct = struct
        self.name = struct.name
        self.scope = struct.name if struct is message else f"{message.name}::{struct.name}"
        self.has_tags = message.flexible != kmsg.NO_VERSIONS
        self.cpp_types = VIEW_TYPES if message.kind in KINDS_OF_VIEWS else CPP_TYPES

    # Types and defaults.

    def cpp_type(self, field):
        if field.is_array:
            return self.optional(field, f"std::vector<{self.element_type(field)}>")
        return self.optional(field, self.element_type(field))

    def optional(self, field, text):
        return f"std::optional<{text}>" if is_optional(field) else text

    def element_type(self, field):
        if is_struct(field):
            return f"{self.message.name}::{field.type}"
        return self.cpp_types[field.type]

    def initializer(self, field):
        if is_optional(field):
            inner = self.cpp_type(field).removeprefix("std::optional<")[:-1]
            return "" if field.default == "null" else f" = {inner}{{}}"
        if not field.is_array:
            if field.type in kmsg.INTEGERS or field.type == "float64":
                return f" = {field.default or 0}"
            if field.type == "bool":
                return f" = {field.default or 'false'}"
        return ""

    def is_set(self, field, value):
        """A C++ condition for "the value is not the default"."""
        if is_optional(field):
            if field.default == "null":
                return f"{value}.has_value()"
            if is_struct(field) and not field.is_array:
                return f"{value} != {self.element_type(field)}{{}}"
            return f"(!{value}.has_value() || !{value}->empty())"
        if field.is_array or field.type in ("string", "bytes", "records"):
            return f"!{value}.empty()"
        if field.type == "uuid":
            return f"!{value}.is_zero()"
        if field.type == "bool":
            return f"!{value}" if field.default == "true" else value
        if is_struct(field):
            return f"{value} != {self.element_type(field)}{{}}"
        return f"{value} != {field.default or 0}"

    # Conditions.

    def flexible(self, field):
        if not self.has_tags or field.never_compact:
            return "false"
        return self.flexible_version()

    def flexible_version(self):
        return condition(self.message.flexible, self.message.versions) or "true"

    def nullable(self, field):
        return condition(field.nullable, field.versions) or "true"

    def tagged(self, field):
        return "false" if field.tag is None else "true"

    def smallest_element(self, field):
        """The fewest bytes that an element of the array can have, in any version."""
        if not is_struct(field):
            return self.smallest_value(field.type, compact=self.has_tags)
        struct = self.message.structs[field.type]
        sizes = []
        for version in self.message.versions:
            compact = version in self.message.flexible
            size = 1 if compact else 0  # the count of tagged fields
            for member in struct.fields:
                if version in member.versions and member.tag is None:
                    if member.is_array:
                        size += 1 if compact else 4
                    elif is_struct(member):
                        size += 1
                    else:
                        size += self.smallest_value(member.type, compact)
            sizes.append(size)
        return max(min(sizes), 1)

    def smallest_value(self, type_name, compact):
        if type_name in kmsg.INTEGERS:
            return kmsg.INTEGERS[type_name]
        sizes = {"bool": 1, "float64": 8, "uuid": 16, "string": 1 if compact else 2}
        return sizes.get(type_name, 1 if compact else 4)

    # Reading.

    def sized(self, field):
        """What reader's functions call a value of this type."""
        name = "string" if field.type == "string" else "bytes"
        is_view = field.type == "records" or self.cpp_types is VIEW_TYPES
        return name + "_view" * is_view

    def read_element(self, field):
        if is_struct(field):
            return f"{self.element_type(field)}::decode(in, schema_version)"
        if field.type in kmsg.INTEGERS:
            return f"in.read_integer<{CPP_TYPES[field.type]}>()"
        if field.type in ("string", "bytes", "records"):
            return f"in.read_{self.sized(field)}({self.flexible(field)})"
        return f"in.read_{field.type}()"

    def read(self, field):
        compact = self.flexible(field)
        if field.is_array:
            element = f"[&] {{ return {self.read_element(field)}; }}"
            smallest = self.smallest_element(field)
            if is_optional(field):
                return (f"read_nullable_array<{self.element_type(field)}>(in, {compact}, "
                        f"{self.nullable(field)}, {smallest}, {element})")
            return (f"read_array<{self.element_type(field)}>(in, {compact}, {smallest}, "
                    f"{element})")
        if is_optional(field):
            if is_struct(field):
                return (f"read_nullable_struct<{self.element_type(field)}>(in, "
                        f"{self.tagged(field)}, {self.nullable(field)}, schema_version)")
            return f"in.read_nullable_{self.sized(field)}({compact}, {self.nullable(field)})"
        return self.read_element(field)

    def decode_function(self):
        yield (f"{self.scope} {self.scope}::decode(\n"
               "    reader& in, [[maybe_unused]] std::int16_t schema_version) {")
        if self.struct is self.message:
            yield "  in.check_version(info, schema_version);"
        yield f"  {self.scope} self;"
        for field in self.struct.fields:
            if field.tag is None:
                yield from self.guarded(field, f"self.{field.name} = {self.read(field)};", "  ")
        if self.has_tags:
            yield from self.if_flexible(self.decode_tagged_fields())
        yield "  return self;"
        yield "}"

    def decode_tagged_fields(self):
        tagged = [field for field in self.struct.fields if field.tag is not None]
        if not tagged:
            yield "    self.unknown_tagged_fields = read_unknown_tagged_fields(in);"
            return
        yield "    for (tagged_fields_reader fields(in); fields.next();) {"
        prefix = ""
        for field in tagged:
            needs = condition(field.versions, self.message.flexible)
            needs = f" && {needs}" if needs else ""
            yield f"      {prefix}if (fields.tag() == {field.tag}{needs}) {{"
            yield f"        self.{field.name} = {self.read(field)};"
            prefix = "} else "
        yield "      } else {"
        yield "        self.unknown_tagged_fields.push_back(fields.take_unknown());"
        yield "      }"
        yield "    }"

    def if_flexible(self, lines):
        if self.flexible_version() == "true":
            yield from (line[2:] for line in lines)
        else:
            yield f"  if ({self.flexible_version()}) {{"
            yield from lines
            yield "  }"

    def guarded(self, field, statement, indentation):
        needs = condition(field.versions, self.message.versions)
        if needs is None:
            yield indentation + statement
        else:
            yield f"{indentation}if ({needs}) {{"
            yield f"{indentation}  {statement}"
            yield f"{indentation}}}"

    # Writing.

    def write_element(self, field, out, value):
        if is_struct(field):
            return f"{value}.encode({out}, schema_version)"
        if field.type in kmsg.INTEGERS:
            return f"{out}.write_integer({value})"
        if field.type in ("string", "bytes", "records"):
            name = "string" if field.type == "string" else "bytes"
            return f"{out}.write_{name}({value}, {self.flexible(field)})"
        return f"{out}.write_{field.type}({value})"

    def write(self, field, out):
        compact = self.flexible(field)
        if field.is_array:
            item = f"[&](const auto& item) {{ {self.write_element(field, out, 'item')}; }}"
            if is_optional(field):
                return (f"write_nullable_array({out}, {field.name}, {compact}, "
                        f"{self.nullable(field)}, {item})")
            return f"write_array({out}, {field.name}, {compact}, {item})"
        if is_optional(field):
            if is_struct(field):
                return (f"write_nullable_struct({out}, {field.name}, {self.tagged(field)}, "
                        f"{self.nullable(field)}, schema_version)")
            name = "string" if field.type == "string" else "bytes"
            return f"{out}.write_nullable_{name}({field.name}, {compact}, {self.nullable(field)})"
        return self.write_element(field, out, field.name)

    def encode_function(self):
        yield (f"void {self.scope}::encode(\n"
               "    writer& out, [[maybe_unused]] std::int16_t schema_version) const {")
        if self.struct is self.message:
            yield "  out.check_version(info, schema_version);"
        for field in self.struct.fields:
            if field.tag is None:
                yield from self.guarded(field, f"{self.write(field, 'out')};", "  ")
            yield from self.refuse_if_absent(field)
        if self.has_tags:
            yield from self.if_flexible(self.encode_tagged_fields())
            if self.message.flexible != self.message.versions:
                yield f"  if (!({self.flexible_version()}) && !unknown_tagged_fields.empty()) {{"
                yield (f'    out.refuse_field("{self.scope}.unknown_tagged_fields", '
                       "schema_version);")
                yield "  }"
        yield "}"

    def refuse_if_absent(self, field):
        needs = condition(field.versions, self.message.versions)
        if needs is None or field.ignorable:
            return
        yield f"  if (!({needs}) && {self.is_set(field, field.name)}) {{"
        yield f'    out.refuse_field("{self.scope}.{field.name}", schema_version);'
        yield "  }"

    def encode_tagged_fields(self):
        if all(field.tag is None for field in self.struct.fields):
            yield "    write_unknown_tagged_fields(out, unknown_tagged_fields);"
            return
        yield "    tagged_fields_writer tagged(unknown_tagged_fields);"
        for field in self.struct.fields:
            if field.tag is not None:
                needs = condition(field.versions, self.message.flexible)
                needs = f"{needs} && " if needs else ""
                yield f"    if ({needs}{self.is_set(field, field.name)}) {{"
                yield f"      tagged.add({field.tag}, [&](writer& payload) {{"
                yield f"        {self.write(field, 'payload')};"
                yield "      });"
                yield "    }"
        yield "    tagged.write_to(out);"

    # The declaration.

    def declaration(self, indentation):
        lines = []
        if self.struct.about:
            lines += [f"// {line}" for line in self.struct.about.split("\n")]
        lines.append(f"struct {self.name} {{")
        if self.struct is self.message:
            lines += self.message_head()
        for field in self.struct.fields:
            lines += self.field_declaration(field)
        if self.has_tags:
            lines.append("  // Tagged fields that we do not know, kept for whoever does.")
            lines.append("  std::vector<unknown_tagged_field> unknown_tagged_fields;")
        lines += [
            "",
            f"  static {self.name} decode(reader& in, std::int16_t schema_version);",
            "  void encode(writer& out, std::int16_t schema_version) const;",
            f"  bool operator==(const {self.name}&) const = default;",
            "",
            "  template <typename Self, typename Visitor>",
            "  static void for_each_field([[maybe_unused]] Self& self,",
            "                             [[maybe_unused]] std::int16_t schema_version,",
            "                             [[maybe_unused]] Visitor&& visit) {",
        ]
        for field in self.struct.fields:
            lines += list(self.guarded(field, self.visit(field), "    "))
        lines += ["  }", "};"]
        return [(indentation + line).rstrip() for line in lines]

    def message_head(self):
        message = self.message
        flexible = (message.flexible.lowest if self.has_tags
                    else "message_info::never_flexible")
        api_key = -1 if message.api_key is None else message.api_key
        lines = [
            "  static constexpr message_info info{",
            f'      .name = "{message.name}",',
            f"      .api_key = {api_key},",
            f"      .lowest_version = {message.versions.lowest},",
            f"      .highest_version = {message.versions.highest},",
            f"      .lowest_flexible_version = {flexible},",
            "  };", "",
        ]
        for struct in ordered_structs(message):
            lines += StructWriter(message, struct).declaration("  ") + [""]
        return lines

    def field_declaration(self, field):
        comment = [f"  // {line}" for line in field.about.split("\n") if line]
        if field.versions != self.message.versions:
            low, high = field.versions.lowest, field.versions.highest
            open_end = high == self.message.versions.highest
            versions = f"since version {low}" if open_end else f"versions {low} to {high}"
            comment.append(f"  // ({versions})")
        text = self.cpp_type(field).replace(f"{self.message.name}::", "")
        initializer = self.initializer(field).replace(f"{self.message.name}::", "")
        return comment + [f"  {text} {field.name}{initializer};"]

    def visit(self, field):
        value = f"self.{field.name}"
        nullable = self.nullable(field) if is_optional(field) else "false"
        shown = "true" if field.tag is None else self.is_set(field, value)
        shown = shown.replace(f"{self.message.name}::", "")
        return (f'visit(field_info{{"{camel_case(field.name)}", {nullable}, {shown}}}, {value});')


def wrapped(line):
    """The line, broken before a lambda if it is too long."""
    if len(line) > COLUMNS and " [&]" in line:
        indentation = " " * (len(line) - len(line.lstrip()) + 4)
        head, tail = line.split(" [&]", 1)
        return f"{head}\n{indentation}[&]{tail}"
    return line


def ordered_structs(message):
    """The structs of a message, each after those that it uses."""
    done, order = set(), []

    def visit(fields):
        for field in fields:
            if is_struct(field) and field.type not in done:
                done.add(field.type)
                visit(message.structs[field.type].fields)
                order.append(message.structs[field.type])

    visit(message.fields)
    return order


def check_names(path, message):
    for struct in [message, *message.structs.values()]:
        for name, line in [(struct.name, struct.line)] + [(f.name, f.line) for f in struct.fields]:
            if name in RESERVED:
                raise kmsg.DefinitionError(path, line, f"'{name}' means something in C++; rename")


def has_views(message):
    structs = [message, *message.structs.values()]
    return message.kind in KINDS_OF_VIEWS or any(
        field.type == "records" for struct in structs for field in struct.fields)


def header(source, messages):
    lines = ["#pragma once", "", NOTICE.format(source=source), "#include <cstdint>",
             "#include <optional>", "#include <string>", "#include <vector>", "",
             '#include "protocol/message.h"']
    if any(has_views(message) for message in messages):
        lines.append('#include "protocol/views.h"')
    lines += ["", "namespace ringlog::protocol {", ""]
    for message in messages:
        lines += StructWriter(message, message).declaration("") + [""]
    return "\n".join(lines + ["}  // namespace ringlog::protocol", ""])


def folder_implementation(folder, definitions):
    lines = [NOTICE.format(source=f"{folder}/*.kmsg"), f'#include "{folder}/messages.h"', "",
             '#include "protocol/reader.h"', '#include "protocol/writer.h"', "",
             "namespace ringlog::protocol {", ""]
    for message in (message for source in sorted(definitions) for message in definitions[source]):
        for struct in [*ordered_structs(message), message]:
            writer = StructWriter(message, struct)
            lines += map(wrapped, [*writer.decode_function(), "", *writer.encode_function(), ""])
    return "\n".join(lines + ["}  // namespace ringlog::protocol", ""])


def folder_header(folder, definitions):
    """All messages of a folder, as a list of types; the same per kind, in the order of api keys.

    Requests and responses are in the list of APIs instead."""
    sources = sorted(definitions)
    lines = ["#pragma once", "", NOTICE.format(source=f"{folder}/*.kmsg"),
             '#include "protocol/message.h"']
    lines += includes(sources)
    lines += ["", "namespace ringlog::protocol {", ""]
    prefix = pathlib.PurePosixPath(folder).name
    everything = [message for source in sources for message in definitions[source]
                  if message.kind not in ("request", "response")]
    if everything:
        lines += message_list(f"{prefix}_messages", everything)
    for kind in ("metadata", "coordinator_key", "coordinator_value"):
        messages = [message for message in everything if message.kind == kind]
        messages.sort(key=lambda message: message.api_key)
        suffix = "record" if kind == "metadata" else kind.removeprefix("coordinator_")
        if messages:
            lines += message_list(f"{prefix}_{suffix}s", messages)
    return "\n".join(lines + ["}  // namespace ringlog::protocol", ""])


def includes(sources):
    return [f'#include "{pathlib.PurePosixPath(source).with_suffix(".h")}"' for source in sources]


def message_list(name, messages):
    return [f"using {name} = message_list<",
            ",\n".join(f"    {message.name}" for message in messages) + ">;", ""]


def api_table(apis):
    """What is known about each API, without its messages. `apis` are pairs of messages."""
    lines = ["#pragma once", "", NOTICE.format(source="every request"), "#include <array>", "",
             '#include "protocol/wire/api_info.h"', "", "namespace ringlog::protocol {", "",
             "enum class api_key : std::int16_t {"]
    lines += [f"  {api_name(request)} = {request.api_key}," for request, _ in apis]
    lines += ["};", "", f"inline constexpr std::array<api_info, {len(apis)}> api_table{{{{"]
    for request, _ in apis:
        name = camel_case(api_name(request))
        flexible = (request.flexible.lowest if request.flexible != kmsg.NO_VERSIONS
                    else "message_info::never_flexible")
        advertised = request.advertised
        lowest, highest = ((0, -1) if advertised == kmsg.NO_VERSIONS
                           else (advertised.lowest, advertised.highest))
        lines += [f'    {{.name = "{name[0].upper() + name[1:]}",',
                  f"     .key = {request.api_key},",
                  f"     .lowest_version = {request.versions.lowest},",
                  f"     .highest_version = {request.versions.highest},",
                  f"     .lowest_flexible_version = {flexible},",
                  f"     .lowest_advertised_version = {lowest},",
                  f"     .highest_advertised_version = {highest}}},"]
    lines += ["}};", "", "}  // namespace ringlog::protocol", ""]
    return "\n".join(lines)


def api_list(sources, apis):
    """Every API as a type, in the order of api keys."""
    lines = ["#pragma once", "", NOTICE.format(source="every request"),
             '#include "protocol/wire/api.h"', *includes(sorted(sources)), "",
             "namespace ringlog::protocol {", "", "using wire_apis = api_list<",
             ",\n".join(f"    api<{request.name}, {response.name}>"
                         for request, response in apis) + ">;",
             "", "}  // namespace ringlog::protocol", ""]
    return "\n".join(lines)


def api_name(request):
    return request.name.removesuffix("_request")
