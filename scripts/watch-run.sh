#!/usr/bin/env bash
# Shows the live progress of a run: which resource is in which state, for how long.
#
#   bash scripts/watch-run.sh EXECUTION_ARN [--once] [--timeout SECONDS] [--interval SECONDS]
#
#   EXECUTION_ARN       of the product orchestrator, or of a phase that was started directly
#   --once              prints the state as it is now
#   --timeout SECONDS   stops watching then; default: when the run ends
#   --interval SECONDS  between two looks; default 2
#
# In a terminal a table that is redrawn, otherwise one line for each change. It only reads (describe-execution,
# the history, the run's objects in the bucket, the configuration of manifest-loader); Ctrl-C ends the watching,
# not the run. Uses the credentials of the AWS CLI, and AWS_ENDPOINT_URL when it is set.
# Exit code: 0 succeeded, 1 the run failed or cannot be read, 3 still running at --timeout.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

execution="" options=()
while [ $# -gt 0 ]; do
  case $1 in
    --once) options+=(--once); shift ;;
    --timeout | --interval) options+=("$1" "$(option_value "$1" "$@")"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    arn:*:states:*:execution:*) execution=$1; shift ;;
    *) unknown_option "$1" ;;
  esac
done
[ -n "$execution" ] || die "Which execution?" "Give its ARN: aws stepfunctions list-executions --state-machine-arn ..."
ensure_venv
exec "$VENV/bin/python" "$REPO/scripts/python/watch.py" "$execution" ${options[@]+"${options[@]}"}
