#!/usr/bin/env bash
# Starts the local AWS alone, in the foreground, and prints how to point the AWS CLI at it. Ctrl-C ends it.
#
#   bash scripts/localaws.sh [--port N] [--iam audit|enforce|off] [--until-stdin-closes]
#
#   --port N               where it listens on this machine; default 5000
#   --iam MODE             audit (default) notes in the call log what IAM would answer, enforce refuses
#   --until-stdin-closes   ends when its standard input does: for tests that start it
#
# It begins empty. scripts/localaws-deploy.sh then deploys the orchestrator and the sample product to it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-localaws.sh
source "$REPO/scripts/lib-localaws.sh"

port=5000 iam=audit until_stdin_closes=no
while [ $# -gt 0 ]; do
  case $1 in
    --port) port=$(option_value --port "$@"); shift 2 ;;
    --iam) iam=$(option_value --iam "$@"); shift 2 ;;
    --until-stdin-closes) until_stdin_closes=yes; shift ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

ensure_venv
port_is_free "$port" || die "Port $port is used by another program." "Choose another one with --port."
# The server talks to itself only; a proxy or a profile of the user must not get in between.
use_localaws "$port"
unset AWS_ENDPOINT_URL
export PYTHONPATH=$REPO/tests PYTHONUNBUFFERED=1
server=("$VENV/bin/python" -m localaws --port "$port" --iam "$iam")

if [ "$until_stdin_closes" = no ]; then
  say "Deploy the orchestrator and the sample to it with: bash scripts/localaws-deploy.sh --port $port"
  exec "${server[@]}"
fi
"${server[@]}" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true' EXIT
trap 'exit 143' TERM INT HUP
cat >/dev/null
