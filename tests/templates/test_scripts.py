"""The deployment scripts: what they refuse, and that a build gives the same zips again."""

import json
import os
import struct
import subprocess
import zipfile
from pathlib import Path

import cfn
import package
import parameters
import product_name
import pytest
import release

SCRIPTS = [
    "build.sh",
    "create-template-store.sh",
    "deploy-orchestrator.sh",
    "deploy-schedule.sh",
    "deploy-target-role.sh",
]
TEMPLATE = cfn.REPO / "cloudformation" / "orchestrator.yaml"
GOOD = {
    "ApproversEmail": "dr@example.com",
    "TemplateStoreS3BucketName": "artifacts-1",
    "OrchestratorVersion": "1",
}


def run(script: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        ["bash", str(cfn.REPO / "scripts" / script), *arguments],
        cwd=cwd,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def problems_of(given: dict | list | str, tmp_path: Path, capsys) -> str:
    file = tmp_path / "parameters.json"
    file.write_text(given if isinstance(given, str) else json.dumps(given))
    code = parameters.main(["--template", str(TEMPLATE), "--file", str(file)])
    text = capsys.readouterr().out
    return text if code else ""


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_from_any_directory(script, tmp_path):
    result = run(script, "--help", cwd=tmp_path)
    assert result.returncode == 0
    assert f"scripts/{script}" in result.stdout and "set -euo" not in result.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_unknown_option_is_named(script, tmp_path):
    result = run(script, "--nonsense", cwd=tmp_path)
    assert result.returncode == 1
    assert "--nonsense" in result.stderr and "next:" in result.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stop_at_errors_and_can_be_run(script):
    path = cfn.REPO / "scripts" / script
    assert "\nset -euo pipefail\n" in path.read_text()
    assert os.access(path, os.X_OK)


def test_good_parameters_have_no_problem(tmp_path, capsys):
    assert problems_of(GOOD, tmp_path, capsys) == ""


def test_all_problems_come_at_once_with_the_nearest_name(tmp_path, capsys):
    text = problems_of(
        {"ApproverEmail": "dr@example.com", "OrgId": "x", "OrchestratorVersion": "1"},
        tmp_path,
        capsys,
    )
    assert "unknown parameter ApproverEmail; did you mean ApproversEmail?" in text
    assert "parameter ApproversEmail is missing" in text
    assert "parameter TemplateStoreS3BucketName is missing" in text
    assert "OrgId must be empty or look like o-a1b2c3d4e5" in text


@pytest.mark.parametrize("address", ["nobody", "a@b", "a@b.c,d@e.f", "a b@c.d"])
def test_a_malformed_address_is_refused(address, tmp_path, capsys):
    assert "ApproversEmail must be one e-mail address" in problems_of(
        GOOD | {"ApproversEmail": address}, tmp_path, capsys
    )


@pytest.mark.parametrize(
    "extra, expected",
    [
        ({"LambdaSubnet1": "subnet-1"}, "together, or neither"),
        ({"LambdaSGId": "sg-1"}, "LambdaSGId needs"),
        ({"VpcEndpoints": "ENABLED"}, "VpcEndpoints ENABLED needs"),
        ({"CoreReservedConcurrency": "7"}, "must be one of NONE, 1, 2"),
    ],
)
def test_contradictions_are_named(extra, expected, tmp_path, capsys):
    assert expected in problems_of(GOOD | extra, tmp_path, capsys)


@pytest.mark.parametrize(
    "document, expected",
    [
        ("{", "not valid JSON"),
        ([{"ParameterKey": "OrgId"}], "entry 1 must have exactly"),
        ([{"ParameterKey": "OrgId", "ParameterValue": ""}] * 2, "OrgId is given twice"),
        ("3", "must hold a list"),
    ],
)
def test_a_broken_parameter_file_is_named(document, expected, tmp_path, capsys):
    assert expected in problems_of(document, tmp_path, capsys)


def test_no_parameter_file_for_the_region(tmp_path):
    result = run("deploy-orchestrator.sh", "--region", "eu-west-1", cwd=tmp_path)
    assert result.returncode == 1
    assert "orchestrator-parameters-eu-west-1.json" in result.stderr


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44)


def packed(tmp_path: Path, monkeypatch, glibc=(2, 34), machine: int = 62) -> tuple[int, Path]:
    """Runs package.py over a binary for each function of the loop."""
    binaries, out = tmp_path / "binaries", tmp_path / "zips"
    binaries.mkdir(exist_ok=True)
    for name in cfn.loop()[1]:
        (binaries / name).write_bytes(elf(machine))
    monkeypatch.setattr(package, "needed_glibc", lambda path: glibc)
    options = ["--profile", "dev", "--binaries", str(binaries), "--out", str(out)]
    return package.main([*options, *cfn.loop()[1]]), out


def test_equal_binaries_give_equal_zips_that_lambda_can_run(tmp_path, monkeypatch):
    _, out = packed(tmp_path, monkeypatch)
    first = (out / "reporter.zip").read_bytes()
    (out / "reporter.zip").unlink()
    packed(tmp_path, monkeypatch)
    assert (out / "reporter.zip").read_bytes() == first
    with zipfile.ZipFile(out / "reporter.zip") as archive:
        (entry,) = archive.infolist()
    assert entry.filename == "bootstrap"
    assert entry.external_attr >> 16 == 0o100755


def test_an_unchanged_zip_is_left_alone(tmp_path, monkeypatch):
    _, out = packed(tmp_path, monkeypatch)
    before = (out / "reporter.zip").stat().st_mtime_ns
    packed(tmp_path, monkeypatch)
    assert (out / "reporter.zip").stat().st_mtime_ns == before


def test_a_binary_for_a_newer_glibc_is_refused(tmp_path, monkeypatch, capsys):
    code, out = packed(tmp_path, monkeypatch, glibc=(2, 36))
    assert code == 1 and not out.exists()
    assert "needs glibc 2.36, Amazon Linux 2023 has 2.34" in capsys.readouterr().err


def test_glibc_is_read_from_the_binary():
    assert package.needed_glibc(Path("/bin/sh")) >= (2, 2)


def test_zips_of_a_removed_function_go(tmp_path, monkeypatch):
    out = tmp_path / "zips"
    out.mkdir()
    (out / "gone.zip").write_bytes(b"")
    packed(tmp_path, monkeypatch)
    assert not (out / "gone.zip").exists()


def test_the_release_knows_the_functions_of_the_loop():
    assert release.function_names(cfn.REPO) == cfn.loop()[1]


def test_the_architecture_comes_from_the_zips(tmp_path, monkeypatch):
    _, out = packed(tmp_path, monkeypatch, machine=183)
    assert release.architecture_of(out / "reporter.zip") == "arm64"
    assert release.zip_problems(out, cfn.loop()[1], "") == []
    assert "but Architecture is x86_64" in release.zip_problems(out, cfn.loop()[1], "x86_64")[0]


def test_missing_and_empty_zips_are_named(tmp_path, monkeypatch):
    _, out = packed(tmp_path, monkeypatch)
    (out / "reporter.zip").unlink()
    (out / "deploy-cf.zip").write_bytes(b"no zip")
    problems = release.zip_problems(out, cfn.loop()[1], "")
    assert [p for p in problems if "reporter.zip is missing" in p]
    assert [p for p in problems if "deploy-cf.zip holds no Linux program" in p]


@pytest.mark.parametrize("text, found", [
    ('{"product_name": "shop", "region": "us-west-2"}', ("shop", "us-west-2")),
    ("action: ACTIVATE\nproduct_name: shop # ours\n", ("shop", "")),
    ("\"product_name\": 'shop'\nregion: us-west-2\n", ("shop", "us-west-2")),
])
def test_the_product_of_a_manifest_is_read(text, found, tmp_path, capsys):
    (tmp_path / "manifest").write_text(text)
    assert product_name.main(str(tmp_path / "manifest")) == 0
    assert capsys.readouterr().out == "\t".join(found) + "\n"


@pytest.mark.parametrize("text", ["[]", "{}", '{"product_name": "two words"}', "layer: 1", ""])
def test_what_is_no_product_manifest_is_said_to_be_none(text, tmp_path, capsys):
    (tmp_path / "manifest").write_text(text)
    assert product_name.main(str(tmp_path / "manifest")) == 1
    assert "no product manifest" in capsys.readouterr().out
