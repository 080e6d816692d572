"""Fixtures: one server per session, one copy of it per test."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import running  # noqa: E402  (the path has to be known first)


@pytest.fixture(scope="session")
def original():
    """The server that all copies are made from."""
    process, local = running.start()
    yield local
    local.post("shutdown")
    assert process.wait(timeout=20) == 0


@pytest.fixture
def local(original):
    """A copy of an empty world."""
    copy = original.copy()
    yield copy
    copy.post("shutdown")


@pytest.fixture(scope="session")
def original_with_function(original):
    """An own copy in which the function `worker` exists."""
    copy = original.copy()
    copy.function()
    return copy


@pytest.fixture
def worker(original_with_function):
    """A copy of a world with the function `worker`."""
    copy = original_with_function.copy()
    yield copy
    copy.post("shutdown")
