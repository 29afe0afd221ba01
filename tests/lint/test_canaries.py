"""Each rule raises the alarm on a bad snippet and stays quiet on a good one."""

import pytest
import rules
from layers import depends_faults, include_faults, parse_table

TABLE = parse_table(
    "| layer | what lives there | may include |\n"
    "| --- | --- | --- |\n"
    "| base | views | |\n"
    "| model | nouns | base |\n"
    "| protocol | messages | base model |\n"
    "| broker | produce | base model protocol/stored |\n"
)


def test_table_is_parsed():
    assert TABLE == {
        "base": [],
        "model": ["base"],
        "protocol": ["base", "model"],
        "broker": ["base", "model", "protocol/stored"],
    }


@pytest.mark.parametrize(
    ("path", "include", "allowed"),
    [
        ("cpp/model/a.h", "base/b.h", True),
        ("cpp/model/a.h", "model/b.h", True),
        ("cpp/base/a.h", "model/b.h", False),
        ("cpp/model/sub/a.cc", "protocol/reader.h", False),
        ("cpp/broker/a.cc", "protocol/stored/topic.h", True),
        ("cpp/broker/a.cc", "protocol/reader.h", True),
        ("cpp/broker/a.cc", "protocol/wire/produce.h", False),
        ("cpp/broker/a.cc", "linux/fs.h", True),
        ("cpp/unknown/a.cc", "base/b.h", False),
        ("tests/cpp/base/a.cc", "broker/b.h", True),
    ],
)
def test_includes(path, include, allowed):
    faults = include_faults(TABLE, path, f'#pragma once\n#include "{include}"\n')
    assert (faults == []) == allowed
    angled = include_faults(TABLE, path, f"#include <{include}>\n")
    assert (angled == []) == allowed


@pytest.mark.parametrize(
    ("cmake", "allowed"),
    [
        ("ringlog_layer(model DEPENDS ringlog_base fmt::fmt)", True),
        ("ringlog_layer(base DEPENDS ringlog_model)", False),
        ("ringlog_layer(other DEPENDS ringlog_base)", False),
        ("add_library(model)", False),
    ],
)
def test_depends(cmake, allowed):
    assert (depends_faults(TABLE, cmake) == []) == allowed


PURE = "cpp/storage/log.cc"
LONG_BODY = "  x();\n" * 70
LATER = "TO" "DO"
HOME = "/ho" "me/"

BAD = [
    (rules.purity_faults, PURE, "std::thread worker(run);\n"),
    (rules.purity_faults, PURE, "std::this_thread::sleep_for(1ms);\n"),
    (rules.purity_faults, PURE, "std::condition_variable changed;\n"),
    (rules.purity_faults, PURE, "auto now = std::chrono::steady_clock::now();\n"),
    (rules.purity_faults, PURE, "clock_gettime(CLOCK_REALTIME, &now);\n"),
    (rules.purity_faults, PURE, "std::random_device device;\n"),
    (rules.pragma_once_faults, "cpp/base/a.h", "// #pragma once, some day\nint a;\n"),
    (rules.line_length_faults, "cpp/base/a.cc", "x" * 101 + "\n"),
    (rules.line_length_faults, "python/a.py", "x" * 101 + "\n"),
    (rules.file_length_faults, "cpp/base/a.cc", "\n" * 701),
    (rules.blank_faults, "cpp/base/a.cc", "int a; \n"),
    (rules.blank_faults, "python/a.py", "\tx\n"),
    (rules.blank_faults, "docs/a.md", "text\r\n"),
    (rules.blank_faults, "docs/a.md", "text"),
    (rules.leftover_faults, "cpp/base/a.cc", f"// {LATER}: later\n"),
    (rules.machine_path_faults, "docs/a.md", f"see {HOME}me/notes\n"),
    (rules.machine_path_faults, "tests/a.py", f'open("{HOME}me")\n'),
    (rules.function_length_faults, "cpp/a.cc", f"int f() {{\n{LONG_BODY}}}\n"),
    (rules.function_length_faults, "cpp/a.cc", f"a::a(int b) : b_{{b}} {{\n{LONG_BODY}}}\n"),
    (rules.function_length_faults, "cpp/a.cc",
     f"namespace n {{\nclass c {{\n  auto f() const -> int {{\n{LONG_BODY}  }}\n}};\n}}\n"),
    (rules.function_length_faults, "python/a.py", "def f():\n" + LONG_BODY.replace(";", "")),
]

GOOD = [
    (rules.purity_faults, PURE, "// no std::thread here\nlog(\"std::thread\");\n"),
    (rules.purity_faults, PURE, "std::scoped_lock lock(mutex_); timer.time(offset);\n"),
    (rules.purity_faults, "cpp/node/engine.cc", "std::thread worker(run);\n"),
    (rules.pragma_once_faults, "cpp/base/a.h", "#pragma once\n"),
    (rules.line_length_faults, "cpp/base/a.cc", "x" * 100 + "\n"),
    (rules.line_length_faults, "docs/a.md", "x" * 400 + "\n"),
    (rules.file_length_faults, "cpp/base/a.cc", "\n" * 700),
    (rules.blank_faults, "cpp/base/a.cc", "int a;\n"),
    (rules.leftover_faults, "cpp/base/a.cc", f"int {LATER}S;\n"),
    (rules.machine_path_faults, "docs/a.md", f"the data{HOME}me, $ROOT{HOME}me\n"),
    (rules.function_length_faults, "cpp/a.cc", "int f() {\n" + "  x();\n" * 68 + "}\n"),
    (rules.function_length_faults, "cpp/a.cc", f"namespace n {{\nint a();\n{LONG_BODY}}}\n"),
    (rules.function_length_faults, "cpp/a.cc", f"class c {{\n{LONG_BODY}}};\n"),
    (rules.function_length_faults, "cpp/a.cc", f"const int table[] = {{\n{LONG_BODY}}};\n"),
]


def name(case) -> str:
    return case[0].__name__ if isinstance(case, tuple) else str(case)


@pytest.mark.parametrize("case", BAD, ids=name)
def test_the_alarm_rings(case):
    rule, path, text = case
    assert rule(path, text)


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_good_text_passes(case):
    rule, path, text = case
    assert rule(path, text) == []
