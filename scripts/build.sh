#!/usr/bin/env bash
# Builds the Lambda functions: one zip per folder of functions/, with the binary as "bootstrap".
#
#   scripts/build.sh [--dev] [--out DIR] [--arch native|all|x86_64|arm64]
#
#   --dev        unoptimised, fast to build: for the local AWS. Default: optimised, for a release.
#   --out DIR    where the zips go. Default: ~/.cache/dr-orchestrator/dist
#   --arch A     native: this machine's (default with --dev); all (default for a release): also
#                the other one of x86_64 and arm64 when its Rust target and C compiler are
#                installed; or exactly one.
#
# The zips of this machine's architecture lie in DIR, those of the other one in DIR/<architecture>.
# A zip is made again only when its binary changed, and the same binary always gives the same zip.
# A binary that needs a newer glibc than Amazon Linux 2023 has (2.34) is refused.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

profile=release
out=$CACHE_DIR/dist
arch=""
while [ $# -gt 0 ]; do
  case $1 in
    --dev) profile=dev; shift ;;
    --out) out=$(option_value --out "$@"); shift 2 ;;
    --arch) arch=$(option_value --arch "$@"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

[ "$(uname -s)" = Linux ] ||
  die "AWS Lambda runs Linux programs, this is $(uname -s)." "Build on Linux, or in a container."
case $(uname -m) in
  x86_64 | amd64) native=x86_64 other=arm64 ;;
  aarch64 | arm64) native=arm64 other=x86_64 ;;
  *) die "AWS Lambda knows no architecture $(uname -m)." "Build on x86_64 or arm64." ;;
esac
if [ "$profile" = dev ]; then arch=${arch:-native}; else arch=${arch:-all}; fi
case $arch in
  native | all | x86_64 | arm64) ;;
  *) die "Unknown architecture: $arch" "Use native, all, x86_64 or arm64." ;;
esac

processor() { if [ "$1" = arm64 ]; then echo aarch64; else echo x86_64; fi; }
triple() { echo "$(processor "$1")-unknown-linux-gnu"; }
compiler() { echo "$(processor "$1")-linux-gnu-gcc"; }

# Empty when the other architecture can be built, else what it lacks.
missing_for() {
  local sysroot package
  sysroot=$(rustc --print sysroot)
  package=gcc-$(processor "$1" | tr _ -)-linux-gnu
  if [ ! -d "$sysroot/lib/rustlib/$(triple "$1")" ]; then
    echo "its Rust target is not installed: rustup target add $(triple "$1")"
  elif ! command -v "$(compiler "$1")" >/dev/null 2>&1; then
    echo "its C compiler $(compiler "$1") is not installed: apt-get install $package"
  fi
}

build() {
  local wanted=$1 arguments=(build --workspace --bins --locked) folder=debug
  if [ "$profile" = release ]; then arguments+=(--release); folder=release; fi
  local binaries=$CARGO_TARGET_DIR/$folder zips=$out
  if [ "$wanted" != "$native" ]; then
    local target name
    target=$(triple "$wanted")
    name=$(echo "$target" | tr a-z- A-Z_)
    export "CARGO_TARGET_${name}_LINKER=$(compiler "$wanted")"
    export "CC_${target//-/_}=$(compiler "$wanted")"
    arguments+=(--target "$target")
    binaries=$CARGO_TARGET_DIR/$target/$folder
    zips=$out/$wanted
  fi
  say "Building for $wanted ($profile)"
  (cd "$REPO" && cargo "${arguments[@]}")
  "$python" "$REPO/scripts/python/package.py" --profile "$profile" --binaries "$binaries" \
    --out "$zips" "${functions[@]}"
}

ensure_rust
python=$(python_command)
if ! command -v readelf >/dev/null 2>&1; then
  apt_install binutils
  command -v readelf >/dev/null 2>&1 ||
    die "readelf is missing; it checks which glibc the binaries need." \
      "Install binutils: sudo apt-get install binutils"
fi
functions=()
for manifest in "$REPO"/functions/*/Cargo.toml; do
  functions+=("$(basename "$(dirname "$manifest")")")
done

lacks=""
if [ "$arch" = all ] || [ "$arch" = "$other" ]; then lacks=$(missing_for "$other"); fi
if [ "$arch" = "$other" ] && [ -n "$lacks" ]; then
  die "$other cannot be built here." "${lacks#*: }"
fi
if [ "$arch" != "$other" ]; then build "$native"; fi
if [ "$arch" = all ] || [ "$arch" = "$other" ]; then
  if [ -n "$lacks" ]; then say "Not built for $other: $lacks"; else build "$other"; fi
fi
