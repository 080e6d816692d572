"""Scripts explain themselves, and the documents name only what exists."""

import os
import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path for path in (REPO / "scripts").glob("*.sh") if not path.name.startswith("lib"))
LIBRARIES = sorted((REPO / "scripts").glob("lib*.sh"))
DOCUMENTS = sorted(path for path in REPO.glob("**/*.md") if "target" not in path.parts)
README = REPO / "README.md"
NAMED = re.compile(r"(?:\.ci|scripts|samples|cloudformation|role-templates|statemachines|tests|functions)/[\w./<>*-]*\w")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)[^)]*\)")


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
class TestEachScript:
    def test_help_from_any_directory(self, script, tmp_path):
        result = run("bash", str(script), "--help", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert script.name in result.stdout and len(result.stdout.splitlines()) > 3
        assert "set -euo" not in result.stdout and not result.stderr

    def test_an_unknown_option_is_named(self, script, tmp_path):
        result = run("bash", str(script), "--nonsense", cwd=tmp_path)
        assert result.returncode != 0
        assert "--nonsense" in result.stdout + result.stderr

    def test_it_can_be_run_and_stops_at_errors(self, script):
        assert os.access(script, os.X_OK)
        assert "\nset -euo pipefail\n" in script.read_text()

    def test_the_readme_tells_of_it(self, script):
        assert f"scripts/{script.name}" in README.read_text()


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_a_library_says_so_when_it_is_run(library, tmp_path):
    result = run("bash", str(library), cwd=tmp_path)
    assert result.returncode == 2 and "sourced" in result.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPO)))
class TestEachDocument:
    def test_files_that_it_names_exist(self, document):
        named = {name for name in NAMED.findall(document.read_text()) if not set("<>*") & set(name)}
        assert sorted(name for name in named if not (REPO / name).exists()) == []

    def test_links_lead_somewhere(self, document):
        links = LINK.findall(document.read_text())
        assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_tells_of_the_two_commands():
    text = README.read_text()
    assert "bash scripts/demo.sh" in text and "bash scripts/test.sh" in text
