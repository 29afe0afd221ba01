"""What type checkers see: of a user's program, and of the exceptions that tables make."""

import ast
import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ringlog import errors

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "python"
SECONDS_MAX = 240


def check(*command):
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=HERE,
        env={**os.environ, "MYPYPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    return done.returncode, done.stdout + done.stderr


def mypy(path, folder):
    return check(
        *("mypy", "--follow-imports=silent", "--warn-unused-ignores", "--enable-error-code"),
        *("ignore-without-code", "--check-untyped-defs", "--cache-dir", str(folder), str(path)),
    )


@pytest.fixture(autouse=True)
def checker_is_there():
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")


def test_what_users_see_has_these_types(tmp_path):
    code, said = mypy(HERE / "types_of_users.py", tmp_path)
    assert code == 0, said


def test_a_wrong_type_is_found(tmp_path):
    wrong = (
        (HERE / "types_of_users.py").read_text().replace("get().offset, int", "get().offset, str")
    )
    (tmp_path / "wrong.py").write_text(wrong)
    code, said = mypy(tmp_path / "wrong.py", tmp_path / "cache")
    assert code == 1 and "assert-type" in said, said


def test_the_stub_of_errors_has_every_class():
    stub = ast.parse((PACKAGE / "ringlog" / "errors.pyi").read_text())
    declared = {
        node.name: [ast.unparse(base) for base in node.bases]
        for node in stub.body
        if isinstance(node, ast.ClassDef)
    }
    there = {
        name: [base.__name__ for base in found.__bases__]
        for name, found in vars(errors).items()
        if inspect.isclass(found)
        and found.__module__ == "ringlog.errors"
        and name == found.__name__
    }
    assert declared == there
