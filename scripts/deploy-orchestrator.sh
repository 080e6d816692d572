#!/usr/bin/env bash
# Deploys the DR Orchestrator into one Region: run it once for each of the two Regions.
#
#   scripts/deploy-orchestrator.sh [--region REGION] [--parameters FILE] [--release NAME]
#                                  [--zips DIR] [--no-build] [--manifests DIR]...
#                                  [--stack-name NAME] [--dry-run]
#
#   --region REGION    default: the AWS CLI's Region
#   --parameters FILE  default: samples/orchestrator-parameters-<region>.json
#   --zips DIR         functions that are built already; default: scripts/build.sh builds them
#   --no-build         takes the zips of the last build
#   --release NAME     folder of this release in the bucket; default: OrchestratorVersion and a
#                      hash of its content, so that new code or a new version redeploys
#   --manifests DIR    your manifests, copied to dr-orchestration-artifacts/manifest-files/ when
#                      they differ; may be repeated. Default: samples/*/manifests;
#                      --manifests none copies nothing
#   --stack-name NAME  default: aws-dr-orchestrator
#   --dry-run          checks everything, says what would be done, changes nothing
#
# First checks all it can and names every problem at once; nothing is changed before that. Running
# it again without changes does nothing. With AWS_ENDPOINT_URL set it deploys to that endpoint.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-stack.sh
source "$REPO/scripts/lib-stack.sh"
# shellcheck source=scripts/lib-preflight.sh
source "$REPO/scripts/lib-preflight.sh"

region="" parameter_file="" release="" zips="" build=yes stack=aws-dr-orchestrator dry_run=no
manifests=()
while [ $# -gt 0 ]; do
  case $1 in
    --region) region=$(option_value --region "$@"); shift 2 ;;
    --parameters) parameter_file=$(option_value --parameters "$@"); shift 2 ;;
    --release) release=$(option_value --release "$@"); shift 2 ;;
    --zips) zips=$(option_value --zips "$@"); build=no; shift 2 ;;
    --no-build) build=no; shift ;;
    --manifests) manifests+=("$(option_value --manifests "$@")"); shift 2 ;;
    --stack-name) stack=$(option_value --stack-name "$@"); shift 2 ;;
    --dry-run) dry_run=yes; shift ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(python_command)
folder=dr-orchestration-artifacts
changed=no

lookup() { awk -F'\t' -v name="$1" '$1 == name { print $2 }' "$2"; }

parameter() { lookup "$1" "$work/parameters"; }

set_parameter() {
  awk -F'\t' -v OFS='\t' -v name="$1" -v value="$2" '$1 == name { $2 = value } { print }' \
    "$work/parameters" >"$work/parameters.new"
  mv "$work/parameters.new" "$work/parameters"
}

# --- what is wanted ---

read_parameters() {
  parameter_file=${parameter_file:-$REPO/samples/orchestrator-parameters-$region.json}
  [ -f "$parameter_file" ] || die "There is no parameter file $parameter_file." \
    "Copy samples/orchestrator-parameters-us-east-1.json, or give --parameters FILE."
  "$python" "$REPO/scripts/python/parameters.py" --file "$parameter_file" \
    --template "$REPO/cloudformation/orchestrator.yaml" >"$work/parameters" ||
    cat "$work/parameters" >>"$work/problems"
  stop_on_problems
  case $(parameter ApproversEmail) in
    *@example.com | *@example.org)
      warn "ApproversEmail is $(parameter ApproversEmail), the sample's: nobody reads it." ;;
  esac
  bucket=$(parameter TemplateStoreS3BucketName)
}

find_manifest_folders() {
  local one
  if [ ${#manifests[@]} -eq 0 ]; then
    for one in "$REPO"/samples/*/manifests; do [ ! -d "$one" ] || manifests+=("$one"); done
  elif [ "${manifests[*]}" = none ]; then
    manifests=()
  fi
  for one in ${manifests[@]+"${manifests[@]}"}; do
    [ -d "$one" ] || problem "the manifest folder $one does not exist"
  done
}

# --- release ---

build_functions() {
  local arch=native
  [ -z "$architecture" ] || arch=$architecture
  "$REPO/scripts/build.sh" --arch "$arch"
}

# Empty unless the parameter file demands one: then the zips decide.
wanted_architecture() {
  if grep -q '"Architecture"' "$parameter_file"; then parameter Architecture; fi
}

stage_release() {
  local staged
  architecture=$(wanted_architecture)
  if [ "$build" = yes ] && [ "$dry_run" = no ]; then build_functions; fi
  if ! staged=$("$python" "$REPO/scripts/python/release.py" stage --repo "$REPO" \
    --zips "${zips:-$CACHE_DIR/dist}" --out "$work/release" --architecture "$architecture" \
    --version "$(parameter OrchestratorVersion)" --release "$release"); then
    printf '%s\n' "$staged" >>"$work/problems"
    problem "build the functions first: scripts/build.sh"
    stop_on_problems
  fi
  release=${staged%%$'\t'*}
  set_parameter Architecture "${staged#*$'\t'}"
  set_parameter Release "$release"
  prefix=$folder/releases/$release
}

release_state() {
  if ! aws s3 cp --quiet "s3://$bucket/$prefix/release.json" "$work/uploaded.json" \
    >/dev/null 2>&1; then
    echo missing
  elif cmp -s "$work/uploaded.json" "$work/release/release.json"; then
    echo same
  else
    echo other
  fi
}

# A release is never changed: the stack looks at its name only.
upload_release() {
  case $(release_state) in
    same) say "Release $release is uploaded already"; return 0 ;;
    other) die "The release $release was uploaded with other content." \
      "Choose another --release name, or leave it out." ;;
  esac
  if [ "$dry_run" = yes ]; then
    say "Would upload release $release to s3://$bucket/$prefix/"
    return 0
  fi
  say "Uploading release $release to s3://$bucket/$prefix/"
  aws s3 cp --only-show-errors --recursive --exclude release.json \
    "$work/release" "s3://$bucket/$prefix"
  # Last, so that a release that is there is there completely.
  aws s3 cp --only-show-errors "$work/release/release.json" "s3://$bucket/$prefix/release.json"
  changed=yes
}

upload_manifests() {
  local counts
  mkdir -p "$work/manifests"
  counts=$("$python" "$REPO/scripts/python/release.py" manifests \
    --listing "$work/manifest-listing" --out "$work/manifests" ${manifests[@]+"${manifests[@]}"})
  say "Manifests: ${counts#*$'\t'}, of which new or changed: ${counts%%$'\t'*}"
  if [ "${counts%%$'\t'*}" = 0 ] || [ "$dry_run" = yes ]; then return 0; fi
  aws s3 cp --only-show-errors --recursive "$work/manifests" "s3://$bucket/$folder/manifest-files"
  changed=yes
}

# --- stack ---

is_deployed() {
  case $status in CREATE_COMPLETE | UPDATE_COMPLETE) ;; *) return 1 ;; esac
  # The first line is the status; the AWS CLI's text output may show an empty value as None.
  awk -F'\t' -v OFS='\t' 'NR > 1 { print $1, ($2 == "None" ? "" : $2) }' "$work/deployed" |
    sort | cmp -s - <(sort "$work/parameters")
}

deploy() {
  local suffix=amazonaws.com
  if is_deployed; then
    say "The stack $stack is up to date"
    [ "$changed" = yes ] || say "No changes: nothing to do."
  elif [ "$dry_run" = yes ]; then
    say "Would deploy the stack $stack (now: $status)"
  else
    say "Deploying the stack $stack"
    case $region in cn-*) suffix=amazonaws.com.cn ;; esac
    deploy_stack "$stack" "https://$bucket.s3.$region.$suffix/$prefix/templates/orchestrator.yaml" \
      "$work/parameters" CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND
  fi
}

# --- afterwards ---

output() { lookup "$1" "$work/outputs"; }

report() {
  local page
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' >"$work/outputs"
  page=$(output ApprovalUrl)
  printf '\n%s\n' "${GREEN}The DR Orchestrator is deployed in $region (account $account).${PLAIN}"
  printf '  %-16s %s\n' \
    "Product machine" "$(output ProductOrchestratorArn)" \
    "Approval topic" "$(output ApprovalTopicArn)" \
    "Approval page" "${page:-none (ApprovalLinks DISABLED)}" \
    "Dashboard" "$(output DashboardName)" \
    "Target role" "$(output TargetRoleArn)" \
    "Release" "$release" \
    "Manifests" "s3://$bucket/$folder/manifest-files/"
  printf '\nStart a run:\n  aws stepfunctions start-execution --region %s \\\n' "$region"
  printf "    --state-machine-arn %s \\\\\n" "$(output ProductOrchestratorArn)"
  printf "    --input '{\"productmanifestpath\": \"%s/<product manifest>\"}'\n" \
    "$folder/manifest-files"
  next_steps
}

# SNS forgets an address that nobody confirms within days: then there is no subscription at all.
check_subscription() {
  local topic confirmed
  topic=$(output ApprovalTopicArn)
  confirmed=$(aws sns list-subscriptions-by-topic --topic-arn "$topic" \
    --query "Subscriptions[?starts_with(SubscriptionArn, 'arn:')].Endpoint" --output text 2>/dev/null) || return 0
  case $confirmed in "" | None) ;; *) return 0 ;; esac
  warn "$(parameter ApproversEmail) has not confirmed the subscription: no approval mail arrives in $region." \
    "Next: open the link in the mail \"AWS Notification - Subscription Confirmation\". No such mail? It is sent again by"
  printf '  aws sns subscribe --region %s --topic-arn %s \\\n    --protocol email --notification-endpoint %s\n' \
    "$region" "$topic" "$(parameter ApproversEmail)" >&2
  printf '  Until then a run is approved with the command in the input of its state "Request approval".\n' >&2
}

next_steps() {
  local role
  role=$(parameter TargetAccountsAssumeRoleName)
  if ! aws iam get-role --role-name "$role" >/dev/null 2>&1; then
    warn "The role $role does not exist in this account." \
      "Next: scripts/deploy-target-role.sh here and in each application account."
  fi
  check_subscription
}

find_aws
use_region
: >"$work/problems"
read_parameters
find_manifest_folders
say "Checking account, bucket and network in $region"
gather_facts
check_credentials
check_stack
check_bucket
check_network
check_concurrency
stop_on_problems
stage_release
upload_release
upload_manifests
deploy
if [ "$dry_run" = yes ]; then say "Dry run: nothing was changed."; else report; fi
