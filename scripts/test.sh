#!/usr/bin/env bash
# Runs every check and test, as the continuous integration does.
#
#   bash scripts/test.sh [--quick] [--only STEP]... [--zips DIR] [--screenshots DIR]
#
#   --quick      leaves out what takes minutes: the build of the zips and the tests on the local AWS
#   --only STEP  this step alone; may be repeated. Steps, in their order:
#                  format, shellcheck, documentation, statemachines, templates, clippy, unit, build, manifests,
#                  localaws, deployment, world, e2e, browser
#   --zips DIR   functions that are built already, for the steps from deployment on; default: what the step build made
#   --screenshots DIR  an existing folder for pictures of the approval page, which the step browser takes
#
# A failed step does not stop the others. The last line is "N passed, N failed", counting steps; the exit code is 0
# only when none failed. No step can hang: each has a limit.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-localaws.sh
source "$REPO/scripts/lib-localaws.sh"

# step, limit in minutes, what it checks
STEPS=(
  "format        2  cargo fmt"
  "shellcheck    2  all shell scripts"
  "documentation 5  each script has a help, the README names what exists"
  "statemachines 2  state machines and the registry of resource types"
  "templates    12  cfn-lint, checkov, templates, roles and scripts"
  "clippy       40  all crates, warnings denied"
  "unit         40  unit tests of all crates"
  "build        40  the function zips"
  "manifests     5  the samples are valid manifests"
  "localaws     15  the local AWS"
  "deployment   15  the deployment scripts on the local AWS"
  "world        10  everything deployed once, of which the steps e2e and browser take copies"
  "e2e          45  end to end: the real functions on the local AWS"
  "browser      15  the approval page in Chromium, in front of real runs"
)
QUICK="format shellcheck documentation statemachines templates clippy unit"

only="" zips="" inner=no
while [ $# -gt 0 ]; do
  case $1 in
    --quick) only+=" $QUICK"; shift ;;
    --only) only+=" $(option_value --only "$@")"; shift 2 ;;
    --zips) zips=$(option_value --zips "$@"); shift 2 ;;
    --screenshots) DR_SCREENSHOTS=$(realpath -e "$(option_value --screenshots "$@")"); export DR_SCREENSHOTS; shift 2 ;;
    --inner) inner=yes; shift ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done
zips=${zips:-$CACHE_DIR/dist-dev}

cd "$REPO"

pytest() { PYTHONPATH=$REPO/tests "$VENV/bin/python" -m pytest -q -p no:cacheprovider --durations=3 "$@"; }

step_format() { cargo fmt --all --check; }

step_shellcheck() {
  local files
  mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.sh' '.ci/run')
  "$VENV/bin/shellcheck" -x -P "SCRIPTDIR:$REPO" "${files[@]}"
  echo "${#files[@]} scripts are clean"
}

step_documentation() { pytest tests/documentation; }

step_statemachines() { pytest tests/statemachines; }

step_templates() {
  local files
  mapfile -t files < <(git ls-files --cached --others --exclude-standard 'cloudformation/*.yaml' 'role-templates/*.yaml' 'samples/*.yaml' |
    xargs grep -l '^AWSTemplateFormatVersion')
  "$VENV/bin/cfn-lint" "${files[@]}"
  echo "cfn-lint: ${#files[@]} templates are clean"
  ensure_checkov
  CHECKOV=$CHECKOV pytest tests/templates --ignore tests/templates/test_deployment.py
}

step_clippy() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

step_unit() {
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --locked --exclude e2e
  else
    cargo test --workspace --locked --exclude e2e
  fi
}

step_build() { "$REPO/scripts/build.sh" --dev --out "$zips"; }

step_manifests() { "$REPO/scripts/validate.sh" "$REPO/samples"; }

step_localaws() { pytest tests/localaws/tests --numprocesses auto --maxprocesses 4 --dist worksteal; }

step_deployment() { DR_DIST=$zips pytest tests/templates/test_deployment.py; }

# On the server that serve_world has started.
step_world() {
  wait_for_localaws "$DR_LOCALAWS_PORT" "$WORLD_PID" "$WORLD_LOG"
  use_localaws "$DR_LOCALAWS_PORT"
  control POST timings "$(cat "$REPO/tests/timings.json")" >/dev/null
  "$REPO/scripts/localaws-deploy.sh" --port "$DR_LOCALAWS_PORT" --zips "$zips"
  echo "everything is deployed on port $DR_LOCALAWS_PORT"
}

# One process; each test works in a copy of the world. Without the step world it deploys one of its own.
# The whole workspace is selected, so that the crates keep the features of the other steps and nothing is built anew.
step_e2e() { DR_DIST=$zips cargo test --workspace --locked --test e2e -- --test-threads "${E2E_THREADS:-4}"; }

# As the step e2e. Without the step world one browser alone: each would deploy a world of its own.
step_browser() {
  ensure_browser
  local browsers=()
  [ -z "${DR_LOCALAWS_PORT:-}" ] || browsers=(--numprocesses 3 --dist worksteal)
  DR_DIST=$zips "$BROWSER_VENV/bin/python" -m pytest -q -p no:cacheprovider --durations=3 "${browsers[@]}" tests/browser
}

prepare() {
  ensure_rust
  ensure_venv
}

if [ "$inner" = yes ]; then
  prepare
  "step_${only# }"
  exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
results=() passed=0 failed=0

# The line in which the tool itself sums up.
closing_line() {
  sed -e 's/\x1b\[[0-9;]*m//g' "$work/$1.log" | awk '
    /passed|failed|clean|tests run|test result|Finished|valid|deployed on|error(\[|:)/ { line = $0 } NF { last = $0 }
    END { print line == "" ? last : line }' | sed -e 's/^[ =]*//; s/[ =]*$//' | cut -c1-110
}

# The step runs in a shell of its own, so that it stops at its first error and can be ended as a whole.
run_step() {
  local name=$1 limit=$2 title=$3 began=$SECONDS outcome=ok code=0
  printf '\n%s\n' "${BOLD}━━━ $name: $title ━━━${PLAIN}"
  timeout --kill-after=30 "${limit}m" bash "${BASH_SOURCE[0]}" --inner --only "$name" --zips "$zips" \
    </dev/null 2>&1 3>&- | tee "$work/$name.log" || code=$?
  if [ "$code" -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    outcome=FAILED
    [ "$code" -ne 124 ] || echo "The step was ended after its limit of $limit minutes." | tee -a "$work/$name.log"
  fi
  results+=("$(printf '%-7s %-14s %5d s  %s' "$outcome" "$name" $((SECONDS - began)) "$(closing_line "$name")")")
}

# It ends when its standard input closes, which nobody but this script holds open.
serve_world() {
  DR_LOCALAWS_PORT=$(free_port)
  WORLD_LOG=$work/localaws.log
  exec 3> >(exec bash "$REPO/scripts/localaws.sh" --port "$DR_LOCALAWS_PORT" --iam enforce \
    --until-stdin-closes >/dev/null 2> >(tee "$WORLD_LOG" >&2))
  WORLD_PID=$!
  export DR_LOCALAWS_PORT WORLD_LOG WORLD_PID
}

# Without it the steps deploy a world of their own, and tell what is wrong.
end_world() {
  exec 3>&-
  unset DR_LOCALAWS_PORT
}

known=" "
for entry in "${STEPS[@]}"; do known+="${entry%% *} "; done
for name in $only; do
  [[ $known == *" $name "* ]] || die "There is no step $name." "Steps:$known"
done
prepare
for entry in "${STEPS[@]}"; do
  read -r name limit title <<<"$entry"
  if [ -n "$only" ] && [[ " $only " != *" $name "* ]]; then continue; fi
  if [ "$name" = world ]; then
    # One that is deployed already serves as well.
    [ -z "${DR_LOCALAWS_PORT:-}" ] || continue
    serve_world
  fi
  run_step "$name" "$limit" "$title"
  if [ "$name" = world ] && [[ ${results[-1]} != ok* ]]; then end_world; fi
done

printf '\n%s\n' "${BOLD}━━━ Summary, $((SECONDS / 60)) min $((SECONDS % 60)) s ━━━${PLAIN}"
printf '%s\n' "${results[@]}"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
