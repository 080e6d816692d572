#!/usr/bin/env bash
# Checks product and application manifests, and inputs of direct starts, offline, with the code that checks them in a run.
#
# Usage: bash scripts/validate.sh FILE|DIR...
#
# A folder is searched for .json, .yaml and .yml files; what is no manifest is skipped. An application
# manifest is checked in the phase of the product manifest that names it (found by its file name among
# what is given), else in the phase of its own file name.
#
# Prints every problem as "file: path: text", for broken syntax as "file:line:column: text".
# Exit code: 0 no problem, 1 problems, 2 wrong usage.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case "${1:-}" in
  "" | -h | --help)
    print_help
    [ $# -gt 0 ] || exit 2
    exit 0
    ;;
  -*)
    printf 'validate: unknown option %s; see bash scripts/validate.sh --help\n' "$1" >&2
    exit 2
    ;;
esac

ensure_rust
# Cargo finds its workspace by the manifest's path: the arguments stay relative to where the user is.
cargo build -q --locked --manifest-path "$REPO/Cargo.toml" -p manifest-loader --bin validate ||
  die "validate could not be built." "Read the lines above."
exec "$CARGO_TARGET_DIR/debug/validate" "$@"
