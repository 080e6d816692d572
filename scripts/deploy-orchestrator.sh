#!/usr/bin/env bash
# Deploys the DR Orchestrator into one Region: run it once for each of the two Regions.
#
#   scripts/deploy-orchestrator.sh [--region REGION] [--parameters FILE] [--release NAME] [--zips DIR]
#                                  [--no-build] [--manifests DIR]... [--stack-name NAME] [--dry-run]
#
#   --region REGION    default: the AWS CLI's Region
#   --parameters FILE  default: samples/orchestrator-parameters-<region>.json
#   --zips DIR         functions that are built already; default: scripts/build.sh builds them
#   --no-build         takes the zips of the last build
#   --release NAME     folder of this release in the bucket; default: OrchestratorVersion and a hash of its
#                      content, so that new code or a new version redeploys what changed
#   --manifests DIR    your manifests, copied to dr-orchestration-artifacts/manifest-files/ when they differ;
#                      may be repeated. Default: samples/*/manifests; --manifests none copies nothing
#   --stack-name NAME  default: aws-dr-orchestrator
#   --dry-run          checks everything, says what would be done, changes nothing
#
# First checks all it can and names every problem at once; nothing is changed before that. Running it again
# without changes does nothing. With AWS_ENDPOINT_URL set it deploys to that endpoint.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-stack.sh
source "$REPO/scripts/lib-stack.sh"

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
problems=$work/problems
: >"$problems"

problem() { printf '%s\n' "$1" >>"$problems"; }

stop_on_problems() {
  [ -s "$problems" ] || return 0
  while IFS= read -r line; do printf '%s\n' "${RED}problem:${PLAIN} $line" >&2; done <"$problems"
  die "Nothing was changed." "Correct the above, then run this again."
}

parameter() { awk -F'\t' -v name="$1" '$1 == name { print $2 }' "$work/parameters"; }

# --- what is wanted ---

find_region() {
  [ -n "$region" ] || region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region 2>/dev/null || true)}}
  [ -n "$region" ] || die "No Region." "Give --region, or set one with: aws configure set region us-east-1"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
}

read_parameters() {
  parameter_file=${parameter_file:-$REPO/samples/orchestrator-parameters-$region.json}
  [ -f "$parameter_file" ] ||
    die "There is no parameter file $parameter_file." "Copy samples/orchestrator-parameters-us-east-1.json, or give --parameters FILE."
  "$python" "$REPO/scripts/python/parameters.py" --template "$REPO/cloudformation/orchestrator.yaml" \
    --file "$parameter_file" >"$work/parameters" || cat "$work/parameters" >>"$problems"
  stop_on_problems
  case $(parameter ApproversEmail) in
    *@example.com | *@example.org) warn "ApproversEmail is $(parameter ApproversEmail), the sample's: nobody reads it." ;;
  esac
  bucket=$(parameter TemplateStoreS3BucketName)
}

check_manifest_folders() {
  if [ ${#manifests[@]} -eq 0 ]; then
    for folder in "$REPO"/samples/*/manifests; do [ ! -d "$folder" ] || manifests+=("$folder"); done
  elif [ "${manifests[*]}" = none ]; then
    manifests=()
  fi
  for folder in ${manifests[@]+"${manifests[@]}"}; do
    [ -d "$folder" ] || problem "the manifest folder $folder does not exist"
  done
}

# --- preflight: every check adds its problems, none changes anything ---

# The read-only calls of the preflight run side by side; the checks then read answer and exit code.
fetch() {
  local name=$1
  shift
  (aws "$@" >"$work/$name" 2>"$work/$name.error" && rm "$work/$name.error") &
}

failed() { [ -f "$work/$1.error" ]; }

answer() { awk 'NF { line = $0 } END { print line }' "$work/$1"; }

gather_facts() {
  local name
  fetch account sts get-caller-identity --query Account --output text
  fetch location s3api get-bucket-location --bucket "$bucket" --query LocationConstraint --output text
  fetch manifest-listing s3api list-objects-v2 --bucket "$bucket" --prefix dr-orchestration-artifacts/manifest-files/ \
    --query 'Contents[].[Key,ETag]' --output text
  fetch versioning s3api get-bucket-versioning --bucket "$bucket" --query Status --output text
  fetch public s3api get-public-access-block --bucket "$bucket" --output text \
    --query 'PublicAccessBlockConfiguration.[BlockPublicAcls,IgnorePublicAcls,BlockPublicPolicy,RestrictPublicBuckets]'
  fetch encryption s3api get-bucket-encryption --bucket "$bucket" --output text --query \
    'ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.KMSMasterKeyID'
  fetch deployed cloudformation describe-stacks --stack-name "$stack" --output text \
    --query 'Stacks[0].[StackStatus,Parameters[].[ParameterKey,ParameterValue]][]'
  fetch concurrency lambda get-account-settings --query AccountLimit.UnreservedConcurrentExecutions --output text
  for name in LambdaSubnet1 LambdaSubnet2; do
    [ -z "$(parameter $name)" ] ||
      fetch $name ec2 describe-subnets --subnet-ids "$(parameter $name)" --query 'Subnets[0].VpcId' --output text
  done
  [ -z "$(parameter LambdaSGId)" ] || fetch LambdaSGId ec2 describe-security-groups \
    --group-ids "$(parameter LambdaSGId)" --query 'SecurityGroups[0].VpcId' --output text
  wait
}

check_credentials() {
  if failed account; then
    problem "no valid AWS credentials; log in, or choose a profile with AWS_PROFILE: $(answer account.error)"
    stop_on_problems
  fi
  account=$(answer account)
}

check_bucket() {
  local location
  if failed location; then
    case $(answer location.error) in
      *NoSuchBucket*) problem "the bucket $bucket does not exist. Make it: aws s3 mb s3://$bucket --region $region" ;;
      *AccessDenied*) problem "the bucket $bucket belongs to another account, or its policy forbids reading it" ;;
      *) problem "the bucket $bucket cannot be read: $(answer location.error)" ;;
    esac
    return 0
  fi
  location=$(answer location)
  case $location in None | null | "") location=us-east-1 ;; EU) location=eu-west-1 ;; esac
  if [ "$location" != "$region" ]; then
    problem "the bucket $bucket is in $location; each Region needs a bucket of its own, this one in $region"
    return 0
  fi
  ! failed manifest-listing || problem "the objects of the bucket $bucket cannot be listed: $(answer manifest-listing.error)"
  check_bucket_settings
}

check_bucket_settings() {
  [ "$(answer versioning)" = Enabled ] || warn "The bucket $bucket keeps no versions: an overwritten manifest is lost."
  case $(answer public) in
    *False* | "") warn "The bucket $bucket does not block public access: aws s3api put-public-access-block" ;;
  esac
  case $(answer encryption) in
    "" | None | *alias/aws/s3) ;;
    *) [ -n "$(parameter TemplateStoreKmsKeyArn)" ] ||
      problem "the bucket $bucket is encrypted with $(answer encryption): give its ARN as TemplateStoreKmsKeyArn" ;;
  esac
}

check_network() {
  local name vpc=""
  [ -n "$(parameter LambdaSubnet1)" ] || return 0
  for name in LambdaSubnet1 LambdaSubnet2 LambdaSGId; do
    if [ -z "$(parameter $name)" ]; then
      continue
    elif failed $name; then
      problem "$name $(parameter $name) does not exist in $region of account $account: $(answer $name.error)"
    elif [ -n "$vpc" ] && [ "$(answer $name)" != "$vpc" ]; then
      problem "$name $(parameter $name) is in $(answer $name), but LambdaSubnet1 $(parameter LambdaSubnet1) is in $vpc: all must be in one VPC"
    else
      vpc=$(answer $name)
    fi
  done
  [ "$(parameter LambdaSubnet1)" != "$(parameter LambdaSubnet2)" ] ||
    warn "LambdaSubnet1 and LambdaSubnet2 are the same subnet: one Availability Zone."
  set_parameter LambdaVpcId "$vpc"
}

set_parameter() {
  awk -F'\t' -v OFS='\t' -v name="$1" -v value="$2" '$1 == name { $2 = value } { print }' \
    "$work/parameters" >"$work/parameters.new"
  mv "$work/parameters.new" "$work/parameters"
}

# AWS keeps 100 concurrent executions of an account for functions without a reservation.
check_concurrency() {
  local wanted deployed need
  wanted=$(parameter CoreReservedConcurrency)
  [ "$wanted" != NONE ] || return 0
  deployed=$(awk -F'\t' '$1 == "CoreReservedConcurrency" && $2 != "NONE" { print $2 }' "$work/deployed")
  need=$(((wanted - ${deployed:-0}) * 6))
  if failed concurrency; then
    warn "The account's Lambda concurrency could not be read: $(answer concurrency.error)"
  elif [ $(($(answer concurrency) - need)) -lt 100 ]; then
    problem "CoreReservedConcurrency $wanted reserves $need more concurrent executions, but $region has $(answer concurrency) unreserved and AWS keeps 100: lower it, use NONE, or raise the quota"
  fi
}

check_stack() {
  if failed deployed; then
    : >"$work/deployed"
    status=NONE
    case $(answer deployed.error) in
      *"does not exist"*) ;;
      *) problem "the stack $stack cannot be read: $(answer deployed.error)" ;;
    esac
    return 0
  fi
  status=$(head -n 1 "$work/deployed")
  case $status in
    *_CLEANUP_IN_PROGRESS | REVIEW_IN_PROGRESS) ;;
    *_IN_PROGRESS) problem "the stack $stack is being changed right now ($status)" ;;
  esac
}

# --- release ---

stage_release() {
  local answer
  if [ "$build" = yes ] && [ "$dry_run" = no ]; then
    local wanted
    wanted=$(grep -c '"Architecture"' "$parameter_file" || true)
    if [ "$wanted" -gt 0 ]; then "$REPO/scripts/build.sh" --arch "$(parameter Architecture)"; else "$REPO/scripts/build.sh" --arch native; fi
  fi
  zips=${zips:-$CACHE_DIR/dist}
  local architecture=()
  if grep -q '"Architecture"' "$parameter_file"; then architecture=(--architecture "$(parameter Architecture)"); fi
  if ! answer=$("$python" "$REPO/scripts/python/release.py" stage --repo "$REPO" --zips "$zips" --out "$work/release" \
    --version "$(parameter OrchestratorVersion)" --release "$release" ${architecture[@]+"${architecture[@]}"}); then
    printf '%s\n' "$answer" >>"$problems"
    problem "build the functions first: scripts/build.sh"
    stop_on_problems
  fi
  release=${answer%%$'\t'*}
  set_parameter Architecture "${answer#*$'\t'}"
  set_parameter Release "$release"
  prefix=dr-orchestration-artifacts/releases/$release
}

# A release is never changed: the stack looks at its name only.
release_state() {
  if aws s3 cp --quiet "s3://$bucket/$prefix/release.json" "$work/uploaded.json" >/dev/null 2>&1; then
    if cmp -s "$work/uploaded.json" "$work/release/release.json"; then echo same; else echo other; fi
  else
    echo missing
  fi
}

upload_release() {
  case $(release_state) in
    same) say "Release $release is uploaded already" ;;
    other) die "The release $release was uploaded with other content." "Choose another --release name, or leave it out." ;;
    missing)
      say "Uploading release $release to s3://$bucket/$prefix/"
      aws s3 cp --only-show-errors --recursive --exclude release.json "$work/release" "s3://$bucket/$prefix"
      # Last, so that a release that is there is there completely.
      aws s3 cp --only-show-errors "$work/release/release.json" "s3://$bucket/$prefix/release.json"
      changed=yes
      ;;
  esac
}

upload_manifests() {
  local counts
  mkdir -p "$work/manifests"
  counts=$("$python" "$REPO/scripts/python/release.py" manifests --listing "$work/manifest-listing" \
    --out "$work/manifests" ${manifests[@]+"${manifests[@]}"})
  changed_manifests=${counts%%$'\t'*}
  say "Manifests: ${counts#*$'\t'}, of which new or changed: $changed_manifests"
  if [ "$changed_manifests" = 0 ] || [ "$dry_run" = yes ]; then return 0; fi
  aws s3 cp --only-show-errors --recursive "$work/manifests" "s3://$bucket/dr-orchestration-artifacts/manifest-files"
  changed=yes
}

is_deployed() {
  case $status in CREATE_COMPLETE | UPDATE_COMPLETE) ;; *) return 1 ;; esac
  # The AWS CLI's text output may show an empty value as None.
  cmp -s <(sed -e 1d -e 's/\tNone$/\t/' "$work/deployed" | sort) <(sort "$work/parameters")
}

# --- afterwards ---

output() { awk -F'\t' -v name="$1" '$1 == name { print $2 }' "$work/outputs"; }

report() {
  local page
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' >"$work/outputs"
  page=$(output ApprovalUrl)
  page=${page:-none (ApprovalLinks DISABLED)}
  printf '\n%s\n' "${GREEN}The DR Orchestrator is deployed in $region (account $account).${PLAIN}"
  printf '  %-20s %s\n' "Product machine" "$(output ProductOrchestratorArn)" "Approval topic" "$(output ApprovalTopicArn)" \
    "Approval page" "$page" "Dashboard" "$(output DashboardName)" "Target role" "$(output TargetRoleArn)" \
    "Release" "$release" "Manifests" "s3://$bucket/dr-orchestration-artifacts/manifest-files/"
  printf '\nStart a run:\n  %s\n    %s\n' \
    "aws stepfunctions start-execution --region $region --state-machine-arn $(output ProductOrchestratorArn) \\" \
    "--input '{\"productmanifestpath\": \"dr-orchestration-artifacts/manifest-files/<product manifest>\"}'"
  next_steps
}

next_steps() {
  local pending role
  pending=$(aws sns list-subscriptions-by-topic --topic-arn "$(output ApprovalTopicArn)" --output text \
    --query "Subscriptions[?SubscriptionArn=='PendingConfirmation' || SubscriptionArn=='pending confirmation'].Endpoint" 2>/dev/null || true)
  if [ -n "$pending" ]; then
    warn "$pending has not confirmed the subscription: no approval mail arrives until someone opens the link in the mail from AWS Notifications."
  fi
  role=$(parameter TargetAccountsAssumeRoleName)
  if ! aws iam get-role --role-name "$role" >/dev/null 2>&1; then
    warn "The role $role does not exist in this account. Next: scripts/deploy-target-role.sh here and in each application account."
  fi
}

find_aws
find_region
read_parameters
check_manifest_folders
say "Checking account, bucket and network in $region"
gather_facts
check_credentials
check_stack
check_bucket
check_network
check_concurrency
stop_on_problems

changed=no
stage_release
if [ "$dry_run" = yes ]; then
  case $(release_state) in
    same) say "Release $release is uploaded already" ;;
    other) die "The release $release was uploaded with other content." "Choose another --release name, or leave it out." ;;
    missing) say "Would upload release $release to s3://$bucket/$prefix/" ;;
  esac
  upload_manifests
  if is_deployed; then say "The stack $stack is up to date"; else say "Would deploy the stack $stack (now: $status)"; fi
  say "Dry run: nothing was changed."
  exit 0
fi
upload_release
upload_manifests
if is_deployed; then
  say "The stack $stack is up to date"
  [ "$changed" = yes ] || say "No changes: nothing to do."
else
  say "Deploying the stack $stack"
  case $region in cn-*) suffix=amazonaws.com.cn ;; *) suffix=amazonaws.com ;; esac
  deploy_stack "$stack" "https://$bucket.s3.$region.$suffix/$prefix/templates/orchestrator.yaml" \
    "$work/parameters" CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND
fi
report
