"""Gathers a release (functions, templates, state machines); used by deploy-orchestrator.sh.

stage      copies everything below OUT, writes OUT/release.json, prints "release<TAB>architecture"
manifests  copies those manifests below OUT that a listing of the bucket lacks or has differently
"""

import argparse
import hashlib
import json
import re
import shutil
import struct
import sys
import zipfile
from pathlib import Path

MACHINES = {62: "x86_64", 183: "arm64"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    stage_options = commands.add_parser("stage")
    stage_options.add_argument("--repo", type=Path, required=True)
    stage_options.add_argument("--zips", type=Path, required=True)
    stage_options.add_argument("--architecture", default="", help="empty: that of the zips")
    stage_options.add_argument("--version", required=True)
    stage_options.add_argument("--release", default="", help="empty: version and content's hash")
    stage_options.add_argument("--out", type=Path, required=True)
    manifest_options = commands.add_parser("manifests")
    manifest_options.add_argument("--listing", type=Path, required=True)
    manifest_options.add_argument("--out", type=Path, required=True)
    manifest_options.add_argument("folders", type=Path, nargs="*")
    options = parser.parse_args()
    return stage(options) if options.command == "stage" else manifests(options)


def stage(options: argparse.Namespace) -> int:
    folder = zip_folder(options.zips, options.architecture)
    problems = zip_problems(folder, function_names(options.repo), options.architecture)
    machines = sorted((options.repo / "statemachines").glob("*.asl.json"))
    problems += missing_machines(options.repo, machines)
    if problems:
        print("\n".join(problems))
        return 1
    sources = {
        f"functions/{name}.zip": folder / f"{name}.zip" for name in function_names(options.repo)
    }
    sources |= {f"statemachines/{path.name}": path for path in machines}
    sources |= {
        f"templates/{path.name}": path
        for path in sorted((options.repo / "cloudformation").glob("*.yaml"))
    }
    hashes = {
        key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in sorted(sources.items())
    }
    for key, path in sources.items():
        (options.out / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, options.out / key)
    (options.out / "release.json").write_text(json.dumps(hashes, indent=2) + "\n")
    digest = hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:12]
    name = options.release or f"{options.version}-{digest}"
    print(f"{name}\t{architecture_of(next(iter(sources.values())))}")
    return 0


def function_names(repo: Path) -> list[str]:
    """The loop's list in the root template: what will be deployed."""
    template = (repo / "cloudformation" / "orchestrator.yaml").read_text()
    loop = re.search(
        r"Fn::ForEach::AllFunctions:\n    - Name\n    - ((?:.*\n)(?:      - .*\n)*)", template
    )
    return re.findall(r"- ([a-z0-9-]+)", loop.group(1)) if loop else []


def zip_folder(zips: Path, architecture: str) -> Path:
    """build.sh puts zips of the other architecture into a folder of its name."""
    return zips / architecture if architecture and (zips / architecture).is_dir() else zips


def zip_problems(folder: Path, names: list[str], wanted: str) -> list[str]:
    problems = [
        f"{folder / name}.zip is missing"
        for name in names
        if not (folder / f"{name}.zip").is_file()
    ]
    found: dict[str, list[str]] = {}
    for name in names:
        if (folder / f"{name}.zip").is_file():
            found.setdefault(architecture_of(folder / f"{name}.zip"), []).append(name)
    problems += [
        f"{folder / name}.zip holds no Linux program named bootstrap" for name in found.pop("", [])
    ]
    if wanted and set(found) - {wanted}:
        problems.append(
            f"the zips in {folder} are for {', '.join(found)}, but Architecture is {wanted}"
        )
    elif len(found) > 1:
        problems.append(f"the zips in {folder} are for different architectures: {', '.join(found)}")
    return problems


def architecture_of(path: Path) -> str:
    """From the ELF header of the zip's bootstrap; empty when there is none."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("bootstrap") as program:
            header = program.read(20)
    except (KeyError, OSError, zipfile.BadZipFile):
        return ""
    if len(header) < 20 or header[:4] != b"\x7fELF":
        return ""
    return MACHINES.get(struct.unpack("<H", header[18:20])[0], "")


def missing_machines(repo: Path, machines: list[Path]) -> list[str]:
    template = (repo / "cloudformation" / "state-machines.yaml").read_text()
    named = set(re.findall(r"statemachines/([\w-]+\.asl\.json)", template))
    return [
        f"statemachines/{name} is missing"
        for name in sorted(named - {path.name for path in machines})
    ]


def manifests(options: argparse.Namespace) -> int:
    remote = dict(
        line.split("\t")[:2] for line in options.listing.read_text().splitlines() if "\t" in line
    )
    total = changed = 0
    for folder in options.folders:
        for path in sorted(
            p for p in folder.rglob("*") if p.is_file() and p.suffix in (".json", ".yaml", ".yml")
        ):
            key = path.relative_to(folder).as_posix()
            total += 1
            # With a KMS key the ETag is no MD5: the object is uploaded again, harmlessly.
            etag = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            if (
                remote.get(f"dr-orchestration-artifacts/manifest-files/{key}", "").strip('"')
                != etag
            ):
                changed += 1
                (options.out / key).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, options.out / key)
    print(f"{changed}\t{total}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
