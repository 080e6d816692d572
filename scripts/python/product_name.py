"""Prints the product_name of a product manifest, JSON or YAML, and its region: "name<TAB>region".

A look, no check: manifest-loader does that. It serves scripts/deploy-schedule.sh, whose alarms are
named after the product. Without a YAML package, as the other scripts' Python parts.
"""

import json
import re
import sys
from pathlib import Path

NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")


def fields(text: str) -> dict[str, str]:
    """The two texts at the top of the manifest, as far as they are there."""
    try:
        document = json.loads(text)
    except ValueError:
        found = re.findall(r"""^["']?(product_name|region)["']?\s*:\s*["']?([\w-]+)""", text, re.M)
        return dict(found)
    document = document if isinstance(document, dict) else {}
    return {key: str(document[key]) for key in ("product_name", "region") if key in document}


def main(path: str) -> int:
    found = fields(Path(path).read_text())
    if not NAME.fullmatch(found.get("product_name", "")):
        print("it has no product_name, so it is no product manifest")
        return 1
    print(f"{found['product_name']}\t{found.get('region', '')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
