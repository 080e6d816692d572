#!/usr/bin/env bash
# Shows the whole life cycle of disaster recovery on this machine, with nothing but Rust and Python: a local AWS,
# the orchestrator deployed into two Regions by the real scripts, a sample product with a database in us-east-1
# and its replica in us-west-2. Then us-east-1 fails, and the product moves.
#
#   bash scripts/demo.sh [--keep] [--port N] [--fast] [--zips DIR]
#
#   --keep      leaves the local AWS running and prints how to look around with the AWS CLI
#   --port N    where the local AWS listens; default: a free port
#   --fast      databases take 1 to 2 seconds for everything instead of up to 15
#   --zips DIR  functions that are built already; default: scripts/build.sh --dev builds them
#
# The first run builds the functions and sets up the Python tools, which takes several minutes; after that the demo
# takes about five. Exit code 0 only when the RDS API shows the wanted end: us-west-2 serves alone, the old
# database of us-east-1 is gone and its final snapshot available, and us-east-1 holds a new replica.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-localaws.sh
source "$REPO/scripts/lib-localaws.sh"

keep=no port="" fast=no zips=""
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=yes; shift ;;
    --port) port=$(option_value --port "$@"); shift 2 ;;
    --fast) fast=yes; shift ;;
    --zips) zips=$(option_value --zips "$@"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

ACCOUNT=123456789012
MANIFESTS=dr-orchestration-artifacts/manifest-files
begun=$SECONDS server="" execution="" finished=no

chapter() { printf '\n%s\n' "${BOLD}━━━ $* ━━━${PLAIN}"; }

step() { "$VENV/bin/python" "$REPO/scripts/python/demo_steps.py" "$@"; }

# Prints a command as typed, then runs it.
typed() {
  local word line="aws"
  for word in "$@"; do
    case $word in
      --*) line+=$' \\\n      '$word ;;
      *[!A-Za-z0-9_./:=-]*) line+=" '$word'" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '  $ %s\n' "$line" >&2
  aws "$@"
}

# --- begin and end ---

stop_server() {
  [ -n "$server" ] && kill -0 "$server" 2>/dev/null || return 0
  kill "$server" 2>/dev/null || true
  local attempt
  for attempt in $(seq 1 50); do
    kill -0 "$server" 2>/dev/null || return 0
    sleep 0.1
  done
  warn "The local AWS (process $server) did not end within $((attempt / 10)) s; killing it."
  kill -9 "$server" 2>/dev/null || true
}

at_exit() {
  local code=$?
  trap - EXIT INT TERM HUP
  if [ "$finished" = no ] && [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    printf '\n%s\n' "${RED}The demo did not finish.${PLAIN} What is known:"
    timeout 60 "$VENV/bin/python" "$REPO/scripts/python/demo_steps.py" explain --execution "$execution" || true
    printf '  The local AWS printed: %s\n' "$log"
  fi
  if [ "$keep" = yes ] && [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    how_to_look_around
  else
    stop_server
  fi
  [ -z "${work:-}" ] || rm -rf "$work"
  exit "$code"
}

how_to_look_around() {
  local machine=arn:aws:states:us-west-2:$ACCOUNT:stateMachine:aws-dr-orchestrator-stepfunction-product-orchestrator
  cat <<TEXT

The local AWS is still running. To look around, in any shell:

  export AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  export AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2
  alias aws='$AWS_CLI --endpoint-url $AWS_ENDPOINT_URL'

  aws stepfunctions list-executions --state-machine-arn $machine
  aws rds describe-db-instances --query 'DBInstances[].[DBInstanceIdentifier,DBInstanceStatus,ReadReplicaSourceDBInstanceIdentifier]'
  aws rds describe-db-snapshots --region us-east-1 --query 'DBSnapshots[].[DBSnapshotIdentifier,Status]'
  aws s3 ls --recursive s3://dr-orchestrator-$ACCOUNT-us-west-2/dr-orchestration-artifacts/runs/
  aws cloudwatch list-dashboards
  curl -s $AWS_ENDPOINT_URL/_localaws/mail      # every mail;  /_localaws/calls: every API call

  bash scripts/watch-run.sh EXECUTION_ARN --once

To stop it: kill $server
TEXT
}

start_localaws() {
  local folder=$CACHE_DIR/demo
  mkdir -p "$folder"
  log=$folder/localaws.log
  port=${port:-$(free_port)}
  port_is_free "$port" || die "Port $port is used by another program." "Choose another one with --port, or leave it out."
  say "Starting the local AWS on port $port"
  # A session of its own: Ctrl-C here, or a closed terminal, does not end it before the trap has explained.
  setsid bash "$REPO/scripts/localaws.sh" --port "$port" </dev/null >"$log" 2>&1 &
  server=$!
  wait_for_localaws "$port" "$server" "$log"
  use_localaws "$port"
}

# --- the story ---

set_timings() {
  local timings='{"rds.create": 15, "rds.promote": 10, "rds.reboot": 4, "rds.snapshot": 6, "rds.delete": 8, "rds.modify": 3,
    "visible": 2, "cloudformation": 1, "rds.keeps_promoted_replica_listed": 2}'
  [ "$fast" = no ] || timings='{"rds.create": 2, "rds.promote": 2, "rds.reboot": 1, "rds.snapshot": 1, "rds.delete": 1,
    "rds.modify": 1, "visible": 1, "cloudformation": 0, "rds.keeps_promoted_replica_listed": 1}'
  control POST timings "$timings" >/dev/null
}

# run_phase PHASE REGION
run_phase() {
  local phase=$1 region=$2 key=$MANIFESTS/product-manifest-sampleproduct-$1.json
  say "The operator starts the execution, in $region"
  execution=$(typed stepfunctions start-execution --region "$region" --query executionArn --output text \
    --state-machine-arn "arn:aws:states:$region:$ACCOUNT:stateMachine:aws-dr-orchestrator-stepfunction-product-orchestrator" \
    --input "{\"productmanifestpath\": \"$key\"}")
  printf '  %s\n' "$execution"
  say "The plan is made and checked; the approver gets a mail"
  step approve --execution "$execution" --timeout 120 --reason "demo of $phase"
  say "Approved: live progress (scripts/watch-run.sh shows the same)"
  timeout 400 "$VENV/bin/python" "$REPO/scripts/python/watch.py" "$execution" --interval 1 --timeout 300 ||
    die "$phase did not succeed." "The cause stands above; the mail of the reporter says the next step."
  say "The report, by mail"
  step report --execution "$execution" --timeout 60
  step quiet --timeout 120
  step snapshot --execution "$execution" "$work/$phase.json"
  execution=""
}

prepare() {
  chapter "Setting up"
  ensure_rust
  ensure_venv
  find_aws
  if [ -z "$zips" ]; then
    zips=$CACHE_DIR/dist-dev
    "$REPO/scripts/build.sh" --dev --out "$zips"
  fi
  start_localaws
  "$REPO/scripts/localaws-deploy.sh" --port "$port" --zips "$zips"
  set_timings
  step quiet --timeout 120
  step snapshot "$work/begin.json"
}

work=$(mktemp -d)
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
prepare
deployed=$SECONDS

chapter "1 of 4: INSTANTIATE - build in us-west-2 what the standby lacks"
run_phase INSTANTIATE us-west-2

chapter "Disaster: us-east-1 does not answer any more"
control POST dark '{"region": "us-east-1", "dark": true}' >/dev/null
if AWS_MAX_ATTEMPTS=1 timeout 20 "$AWS_CLI" --endpoint-url "$AWS_ENDPOINT_URL" rds describe-db-instances \
  --region us-east-1 >/dev/null 2>"$work/dark"; then
  die "us-east-1 still answers." "Look at $AWS_ENDPOINT_URL/_localaws/faults."
fi
printf '  $ aws rds describe-db-instances --region us-east-1\n  %s\n' "$(awk 'NF' "$work/dark" | tail -n 1 | cut -c1-120)"

chapter "2 of 4: ACTIVATE - us-west-2 becomes the primary"
# us-east-1 cannot be asked while it is dark.
run_phase ACTIVATE us-west-2

chapter "us-east-1 is back"
control POST dark '{"region": "us-east-1", "dark": false}' >/dev/null

chapter "3 of 4: CLEANUP - remove the stale database of us-east-1"
run_phase CLEANUP us-east-1

chapter "4 of 4: REPLICATE - us-east-1 becomes the new standby"
run_phase REPLICATE us-west-2

chapter "Summary"
finished=yes
if ! step summary "$work"/{begin,INSTANTIATE,ACTIVATE,CLEANUP,REPLICATE}.json; then
  finished=no
  die "The databases are not where they should be."
fi
printf '\n%s\n' "${GREEN}The product moved from us-east-1 to us-west-2, and us-east-1 is its standby again.${PLAIN}"
printf 'The four phases took %d s, everything together %d s.\n' $((SECONDS - deployed)) $((SECONDS - begun))
