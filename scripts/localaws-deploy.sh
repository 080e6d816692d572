#!/usr/bin/env bash
# Deploys everything to a local AWS that runs already: the buckets, the DR execution role, the orchestrator in
# us-east-1 and us-west-2 with the scripts for the real AWS, and the sample product with its manifests.
# Also opens the confirmation links in the mails to the approver, as that person would.
#
#   bash scripts/localaws-deploy.sh [--port N] [--zips DIR] [--without-sample]
#
#   --port N          the port of the local AWS; default 5000
#   --zips DIR        the built functions; default: scripts/build.sh --dev builds them
#   --without-sample  the orchestrator alone
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-localaws.sh
source "$REPO/scripts/lib-localaws.sh"

port=5000 zips="" sample=yes
while [ $# -gt 0 ]; do
  case $1 in
    --port) port=$(option_value --port "$@"); shift 2 ;;
    --zips) zips=$(option_value --zips "$@"); shift 2 ;;
    --without-sample) sample=no; shift ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

# One part's output, indented, so that the parts stand out.
part() {
  local started=$SECONDS title=$1
  shift
  say "$title"
  "$@" </dev/null 2>&1 | sed 's/^/    /' >&2 || die "This failed: $title" "The lines above name the cause."
  say "$title: done in $((SECONDS - started)) s"
}

ensure_venv
find_aws
use_localaws "$port"
control GET health >/dev/null 2>&1 || die "No local AWS answers on port $port." "Start it: bash scripts/localaws.sh --port $port"
if [ -z "$zips" ]; then
  zips=$CACHE_DIR/dist-dev
  "$REPO/scripts/build.sh" --dev --out "$zips"
fi

for region in us-east-1 us-west-2; do
  part "The bucket in $region" "$REPO/scripts/create-template-store.sh" --region "$region"
done
part "The DR execution role" "$REPO/scripts/deploy-target-role.sh" --region us-east-1
for region in us-east-1 us-west-2; do
  part "The orchestrator in $region" "$REPO/scripts/deploy-orchestrator.sh" --region "$region" --zips "$zips"
done
part "The approver confirms the e-mail subscriptions" "$VENV/bin/python" "$REPO/scripts/python/local_account.py" confirm
if [ "$sample" = yes ]; then
  part "The sample product in both Regions" bash "$REPO/samples/sampleproduct/deploy.sh"
fi
