"""Fixtures: one deployed world and one browser for all tests, a copy of the world for each."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import world as worlds  # noqa: E402  (the path has to be known first)
from chromium import Browser  # noqa: E402
from hold import NAMED, Hold, RiskyHold  # noqa: E402


@pytest.fixture(scope="session")
def original():
    """Everything deployed; nothing runs in it."""
    server, world = worlds.deployed()
    yield world
    if server:
        server.stdin.close()
        server.wait(timeout=30)


@pytest.fixture
def world(original):
    """A copy of its own."""
    copy = original.copy()
    worlds.eventually(lambda: worlds.healthy(copy), 30)
    yield copy
    copy.control("shutdown", {})


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    running = Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.quit()


@pytest.fixture
def browser(chromium):
    """In the size of a desk, by day, with nothing open."""
    chromium.size(1000, 900)
    chromium.night(False)
    return chromium.open("about:blank")


@pytest.fixture
def hold(world):
    return Hold(world)


@pytest.fixture
def asked_anew(browser, world):
    """The question after a retry whose new plan may lose data."""
    risky = RiskyHold(world)
    risky.change()
    browser.open(risky.link).type(**NAMED).press("Retry")
    browser.open(risky.again())
    return risky
