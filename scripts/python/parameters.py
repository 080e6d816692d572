"""Reads a CloudFormation parameter file against a template; used by the deploy scripts.

Prints the complete parameters (defaults included) as "name<TAB>value" lines, or all problems, one
per line, and ends with 1. Accepts the AWS CLI's list of ParameterKey and ParameterValue, a plain
object, and {"Parameters": {...}}.
"""

import argparse
import difflib
import json
import re
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    declared = declared_parameters(options.template.read_text())
    given, problems = given_parameters(options.file)
    for pair in options.set:
        name, _, value = pair.partition("=")
        given[name] = value
    problems += unknown_names(given, declared) + missing_names(given, declared, options.ignore)
    complete = {name: given.get(name, rule.get("Default", "")) for name, rule in declared.items()}
    problems += bad_values(given, declared)
    if not problems:
        problems += contradictions(complete)
    if problems:
        print("\n".join(problems))
        return 1
    print("\n".join(f"{name}\t{value}" for name, value in complete.items()))
    return 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--ignore", action="append", default=[], help="not reported when missing")
    return parser.parse_args(arguments)


def declared_parameters(template: str) -> dict[str, dict[str, str]]:
    """Name -> its one-line properties. Our templates are regular: no YAML package is needed."""
    declared: dict[str, dict[str, str]] = {}
    inside = False
    for line in template.splitlines():
        if re.match(r"\S", line):
            inside = line.startswith("Parameters:")
        elif inside and (name := re.match(r"  (\w+):\s*$", line)):
            rule = declared.setdefault(name.group(1), {})
        elif inside and (item := re.match(r"    (\w+): (.+)$", line)):
            rule[item.group(1)] = item.group(2).strip().strip('"')
    return declared


def given_parameters(file: Path | None) -> tuple[dict[str, str], list[str]]:
    if file is None:
        return {}, []
    try:
        document = json.loads(file.read_text())
    except OSError as error:
        return {}, [f"{file} cannot be read: {error.strerror}"]
    except ValueError as error:
        return {}, [f"{file} is not valid JSON: {error}"]
    if isinstance(document, dict) and isinstance(document.get("Parameters"), dict):
        document = document["Parameters"]
    if isinstance(document, dict):
        return {name: text(value) for name, value in document.items()}, []
    if not isinstance(document, list):
        return {}, [f"{file} must hold a list of ParameterKey/ParameterValue objects"]
    return from_list(file, document)


def from_list(file: Path, document: list) -> tuple[dict[str, str], list[str]]:
    given: dict[str, str] = {}
    problems = []
    for number, item in enumerate(document, 1):
        if not isinstance(item, dict) or set(item) != {"ParameterKey", "ParameterValue"}:
            problems.append(
                f"{file}: entry {number} must have exactly ParameterKey and ParameterValue"
            )
        elif item["ParameterKey"] in given:
            problems.append(f"{file}: {item['ParameterKey']} is given twice")
        else:
            given[item["ParameterKey"]] = text(item["ParameterValue"])
    return given, problems


def text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def unknown_names(given: dict, declared: dict) -> list[str]:
    problems = []
    for name in sorted(set(given) - set(declared)):
        near = difflib.get_close_matches(name, declared, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(declared)}"
        problems.append(f"unknown parameter {name}{hint}")
    return problems


def missing_names(given: dict, declared: dict, ignore: list[str]) -> list[str]:
    needed = [
        name for name, rule in declared.items() if "Default" not in rule and name not in ignore
    ]
    return [f"parameter {name} is missing" for name in needed if name not in given]


def bad_values(given: dict[str, str], declared: dict) -> list[str]:
    problems = []
    for name in declared.keys() & given.keys():
        value, rule = given[name], declared[name]
        if "AllowedPattern" in rule and not re.search(rule["AllowedPattern"], value):
            why = rule.get("ConstraintDescription", f"must match {rule['AllowedPattern']}")
            problems.append(f"{name} {why}; it is {value!r}")
        if "AllowedValues" in rule:
            allowed = [v.strip().strip('"') for v in rule["AllowedValues"].strip("[]").split(",")]
            if value not in allowed:
                problems.append(f"{name} must be one of {', '.join(allowed)}; it is {value!r}")
    return sorted(problems)


def contradictions(p: dict[str, str]) -> list[str]:
    problems = []
    subnets = [p[n] for n in ("LambdaSubnet1", "LambdaSubnet2") if p.get(n)]
    if len(subnets) == 1:
        problems.append("give LambdaSubnet1 and LambdaSubnet2 together, or neither")
    if not subnets and p.get("LambdaSGId"):
        problems.append("LambdaSGId needs LambdaSubnet1 and LambdaSubnet2")
    if not subnets and p.get("VpcEndpoints") == "ENABLED":
        problems.append("VpcEndpoints ENABLED needs LambdaSubnet1 and LambdaSubnet2")
    return problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
