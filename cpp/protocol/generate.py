#!/usr/bin/env python3
"""Generates C++ from every message definition of a tree.

usage: generate.py TOP OUTPUT FILE.kmsg...

FILE is read as TOP/FILE and gives OUTPUT/FILE with the suffix .h; each folder gets messages.h (all
of its messages) and messages.cc. The requests and responses of all folders are listed in
OUTPUT/protocol/wire: api_table.h and api_list.h. A file is written only if its text changes. The
language is described in kmsg.py.
"""

import pathlib
import sys

import kmsg
import kmsg_to_cpp


def write_if_changed(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def check_unique(definitions):
    """Names are unique everywhere, api keys within a kind (and folder, of stored records)."""
    seen = {}
    for source, messages in definitions.items():
        folder = pathlib.PurePosixPath(source).parent
        for message in messages:
            keys = [message.name]
            if message.kind in ("request", "response"):
                keys.append((message.kind, message.api_key))
            elif message.api_key is not None:
                keys.append((folder, message.kind, message.api_key))
            for key in keys:
                if key in seen:
                    raise kmsg.DefinitionError(source, message.line,
                                               f"{message.name}: {seen[key]} has that already")
                seen[key] = source


def pair_apis(definitions):
    """[(request, response)] in the order of api keys; each pair stands in a file."""
    apis = []
    for source, messages in definitions.items():
        halves = [message for message in messages if message.kind in ("request", "response")]
        if not halves:
            continue
        request = halves[0]
        name = kmsg_to_cpp.api_name(request)
        if [(half.kind, half.name) for half in halves] != [
                ("request", f"{name}_request"), ("response", f"{name}_response")]:
            raise kmsg.DefinitionError(source, request.line,
                                       "expected NAME_request, then NAME_response")
        response = halves[1]
        for attribute in ("api_key", "versions", "flexible"):
            if getattr(request, attribute) != getattr(response, attribute):
                raise kmsg.DefinitionError(source, response.line,
                                           f"the {attribute} of request and response differ")
        apis.append((request, response))
    return sorted(apis, key=lambda api: api[0].api_key)


def generate(top, output, sources):
    definitions = {}
    for source in sources:
        definitions[source] = kmsg.read_file(top / source)
        for message in definitions[source]:
            kmsg_to_cpp.check_names(top / source, message)
    check_unique(definitions)
    apis = pair_apis(definitions)
    with_apis = [source for source, messages in definitions.items()
                 if any(message.kind == "request" for message in messages)]
    if apis:
        write_if_changed(output / "protocol/wire/api_table.h", kmsg_to_cpp.api_table(apis))
        write_if_changed(output / "protocol/wire/api_list.h",
                         kmsg_to_cpp.api_list(with_apis, apis))
    folders = {}
    for source, messages in definitions.items():
        write_if_changed((output / source).with_suffix(".h"),
                         kmsg_to_cpp.header(source, messages))
        folders.setdefault(str(pathlib.PurePosixPath(source).parent), {})[source] = messages
    for folder, members in folders.items():
        write_if_changed(output / folder / "messages.h",
                         kmsg_to_cpp.folder_header(folder, members))
        write_if_changed(output / folder / "messages.cc",
                         kmsg_to_cpp.folder_implementation(folder, members))


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    try:
        generate(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]), arguments[2:])
    except kmsg.DefinitionError as error:
        sys.exit(f"generate.py: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
