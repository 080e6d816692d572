#!/usr/bin/env bash
# Serves the local AWS until standard input closes, that is as long as the test process lives.
#
#   tests/e2e/local-aws.sh PORT
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
[ "${1:-}" != --help ] || { print_help; exit 0; }

ensure_venv
PYTHONPATH="$REPO/tests" "$VENV/bin/python" -m localaws --port "$1" </dev/null >&2 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
cat >/dev/null
