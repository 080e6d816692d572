#!/usr/bin/env bash
# Helpers that all scripts source. Sets REPO, CACHE_DIR and the build's environment; defines
#   say TEXT            one line of progress, on stderr
#   warn TEXT           something to know, the script goes on
#   die TEXT [NEXT]     ends the script; NEXT says what to do
#   ensure_rust         ends the script when cargo is missing; makes the folder of the build this clone's own
#   ensure_venv         sets VENV, a Python environment with tests/localaws/requirements.txt
#   ensure_checkov      sets CHECKOV, the program of an environment with tests/templates/requirements.txt
#   ensure_browser      sets BROWSER_VENV, an environment with tests/browser/requirements.txt, CHROMIUM and CHROMEDRIVER
#   find_aws, aws ...   the installed AWS CLI, else the one of that environment
# shellcheck disable=SC2034  # the variables are for the scripts that source this file

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  echo "lib.sh is sourced by the other scripts; it does nothing by itself." >&2
  exit 2
fi

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/dr-orchestrator
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE_DIR/target}
export CARGO_INCREMENTAL=0
export AWS_PAGER="" AWS_CLI_AUTO_PROMPT=off

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\e[1m' RED=$'\e[31m' YELLOW=$'\e[33m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  BOLD="" RED="" YELLOW="" GREEN="" PLAIN=""
fi

say() { printf '%s\n' "${BOLD}==>${PLAIN} $*" >&2; }

warn() { printf '%s\n' "${YELLOW}warning:${PLAIN} $*" >&2; }

die() {
  printf '%s\n' "${RED}error:${PLAIN} $1" >&2
  [ -z "${2:-}" ] || printf '%s\n' "  ${BOLD}next:${PLAIN} $2" >&2
  exit 1
}

# The comment block at the top of the calling script is its --help.
print_help() {
  awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$0"
}

# The value of an option, or a clear end: option_value --region "$@"
option_value() {
  [ $# -ge 3 ] && [ -n "$3" ] || die "$1 needs a value." "See $(basename "$0") --help."
  printf '%s' "$3"
}

unknown_option() { die "Unknown option or argument: $1" "See $(basename "$0") --help."; }

# The path of the newest interpreter itself: what PATH names may be a shim that takes longer than the work.
find_python() {
  local python
  for python in python3.13 python3.12 python3.11 python3.10 python3; do
    "$python" -c 'import sys
print(sys.executable) if sys.version_info >= (3, 10) else sys.exit(1)' 2>/dev/null && return
  done
  return 0
}

# Looked for once, for child scripts too.
export DR_PYTHON=${DR_PYTHON:-$(find_python)}

python_command() {
  [ -n "$DR_PYTHON" ] || die "Python 3.10 or newer is missing." \
    "Install it, for example: sudo apt-get install python3 python3-venv"
  printf '%s' "$DR_PYTHON"
}

find_cargo() {
  command -v cargo >/dev/null 2>&1 && return
  if [ -x "$HOME/.cargo/bin/cargo" ]; then
    export PATH="$HOME/.cargo/bin:$PATH"
    return
  fi
  die "Rust (cargo) is missing." \
    "Install it from https://rustup.rs and open a new shell, or put cargo into PATH."
}

# Cargo tells sources apart by their time, not by their place: of two clones that share the build's folder, one
# would take the other's results for its own. So a clone that is not the last builder touches its sources first.
own_build_folder() {
  local mark=$CARGO_TARGET_DIR/built-from
  [ "$(cat "$mark" 2>/dev/null)" != "$REPO" ] || return 0
  mkdir -p "$CARGO_TARGET_DIR"
  find "$REPO/functions" "$REPO/shared" "$REPO/tests/e2e" "$REPO/samples/schema" -type f -exec touch {} +
  printf '%s' "$REPO" >"$mark"
}

ensure_rust() {
  find_cargo
  own_build_folder
}

# Installs Debian packages when that needs no question; the caller checks whether it helped.
apt_install() {
  command -v apt-get >/dev/null 2>&1 || return 0
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || return 0
    sudo=(sudo -n)
  fi
  say "Installing $* with apt-get"
  local install=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@")
  "${install[@]}" >/dev/null 2>&1 && return
  "${sudo[@]}" apt-get update -q >/dev/null 2>&1 || true
  "${install[@]}" >/dev/null 2>&1 || true
}

_make_venv() {
  local python=$1 requirements=$2 venv=$3 log=$3.log
  rm -rf "$venv"
  if ! "$python" -m venv "$venv" >"$log" 2>&1; then
    apt_install python3-venv
    "$python" -m venv "$venv" >"$log" 2>&1 ||
      die "Python cannot make a virtual environment ($(tail -n 1 "$log"))." \
        "Install the venv module, for example: sudo apt-get install python3-venv"
  fi
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input -r "$requirements" \
    >>"$log" 2>&1 &
  local pid=$! seconds=0
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 10)) -ne 0 ] ||
      say "  still installing after ${seconds} s: $(tail -n 1 "$log" | cut -c1-80)"
  done
  if ! wait "$pid"; then
    tail -n 15 "$log" >&2
    die "The Python packages could not be installed." "Read $log, then run this again."
  fi
}

# Prints the folder of the environment with these requirements. One per content of the file; another script may be
# making it at the same time.
_venv_of() {
  local requirements=$1 python hash venv
  [ -f "$requirements" ] || die "$requirements is missing." "Is the clone complete? git status"
  python=$(python_command)
  hash=$("$python" -c 'import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()[:12])' "$requirements")
  venv=$CACHE_DIR/venv-$hash
  if [ ! -f "$venv/.complete" ]; then
    mkdir -p "$CACHE_DIR"
    exec 9>"$venv.lock"
    if command -v flock >/dev/null 2>&1; then flock 9; fi
    if [ ! -f "$venv/.complete" ]; then
      say "Setting up the Python tools in $venv (once, a few minutes)"
      _make_venv "$python" "$requirements" "$venv"
      touch "$venv/.complete"
    fi
    exec 9>&-
  fi
  printf '%s' "$venv"
}

ensure_venv() { VENV=$(_venv_of "$REPO/tests/localaws/requirements.txt"); }

ensure_checkov() { CHECKOV=$(_venv_of "$REPO/tests/templates/requirements.txt")/bin/checkov; }

# Debian's browser and its driver, which are of one version.
ensure_browser() {
  if ! type -P chromium >/dev/null || ! type -P chromedriver >/dev/null; then apt_install chromium chromium-driver; fi
  CHROMIUM=$(type -P chromium || true)
  CHROMEDRIVER=$(type -P chromedriver || true)
  [ -n "$CHROMIUM" ] && [ -n "$CHROMEDRIVER" ] || die "Chromium or its driver is missing." \
    "Install both: sudo apt-get install chromium chromium-driver"
  export CHROMIUM CHROMEDRIVER
  BROWSER_VENV=$(_venv_of "$REPO/tests/browser/requirements.txt")
}

# Sets AWS_CLI once, for child scripts too: call it before the first $(aws ...): a subshell forgets.
find_aws() {
  [ -z "${AWS_CLI:-}" ] || return 0
  AWS_CLI=$(type -P aws || true)
  if [ -z "$AWS_CLI" ] || ! "$AWS_CLI" --version >/dev/null 2>&1; then
    ensure_venv
    AWS_CLI=$VENV/bin/aws
  fi
  export AWS_CLI
}

# Older AWS CLIs do not read AWS_ENDPOINT_URL and would talk to the real AWS: it is always passed.
aws() {
  find_aws
  if [ -n "${AWS_ENDPOINT_URL:-}" ]; then
    "$AWS_CLI" --endpoint-url "$AWS_ENDPOINT_URL" "$@"
  else
    "$AWS_CLI" "$@"
  fi
}
