#!/usr/bin/env bash
# Makes the template store (cloudformation/template-store.yaml), the orchestrator's bucket in one Region: run it once
# for each of the two Regions, before scripts/deploy-orchestrator.sh. The bucket stays when its stack is deleted.
#
#   scripts/create-template-store.sh [--region REGION] [--parameters FILE]
#                                    [--noncurrent-days DAYS] [--stack-name NAME]
#
#   --region REGION         default: the AWS CLI's Region
#   --parameters FILE       the orchestrator's parameter file, for TemplateStoreS3BucketName and
#                           TemplateStoreKmsKeyArn; default: samples/orchestrator-parameters-<region>.json
#   --noncurrent-days DAYS  how long overwritten and deleted objects can be got back; default: 365
#   --stack-name NAME       default: aws-dr-orchestrator-template-store
#
# Running it again without changes does nothing. A bucket that exists already is not touched: scripts/deploy-orchestrator.sh
# says what it lacks, and the command that mends it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-stack.sh
source "$REPO/scripts/lib-stack.sh"

region="" parameter_file="" days="" stack=aws-dr-orchestrator-template-store
while [ $# -gt 0 ]; do
  case $1 in
    --region) region=$(option_value --region "$@"); shift 2 ;;
    --parameters) parameter_file=$(option_value --parameters "$@"); shift 2 ;;
    --noncurrent-days) days=$(option_value --noncurrent-days "$@"); shift 2 ;;
    --stack-name) stack=$(option_value --stack-name "$@"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
template=$REPO/cloudformation/template-store.yaml

gather_parameters() {
  local name value arguments=()
  parameter_file=${parameter_file:-$REPO/samples/orchestrator-parameters-$region.json}
  [ -f "$parameter_file" ] || die "There is no parameter file $parameter_file." \
    "Copy samples/orchestrator-parameters-us-east-1.json, or give --parameters FILE."
  for name in TemplateStoreS3BucketName TemplateStoreKmsKeyArn; do
    value=$(parameter_in "$parameter_file" "$name")
    if [ -n "$value" ]; then arguments+=(--set "$name=$value"); fi
  done
  if [ -n "$days" ]; then arguments+=(--set "NoncurrentVersionDays=$days"); fi
  "$(python_command)" "$REPO/scripts/python/parameters.py" --template "$template" \
    ${arguments[@]+"${arguments[@]}"} >"$work/parameters" ||
    die "Wrong values:
$(cat "$work/parameters")" "Correct them, then run this again."
  bucket=$(awk -F'\t' '$1 == "TemplateStoreS3BucketName" { print $2 }' "$work/parameters")
}

# CloudFormation would say so too, after a rollback.
refuse_existing_bucket() {
  local answer
  [ "$(stack_status "$stack")" = NONE ] || return 0
  if answer=$(aws s3api head-bucket --bucket "$bucket" 2>&1); then
    die "The bucket $bucket exists already, and no stack $stack made it: nothing was changed." \
      "Use it as it is: scripts/deploy-orchestrator.sh --dry-run says what it lacks. Or name another one."
  fi
  case $answer in
    *404* | *NoSuchBucket*) ;;
    *403* | *301* | *400*) die "The name $bucket is taken, elsewhere or by another account." \
      "Choose another TemplateStoreS3BucketName in $parameter_file." ;;
    *) die "The bucket $bucket cannot be looked at: $(last_line "$answer")" \
      "Check credentials, Region and network." ;;
  esac
}

find_aws
use_region
gather_parameters
refuse_existing_bucket
say "Deploying the stack $stack in $region: s3://$bucket"
deploy_stack "$stack" "$template" "$work/parameters" CAPABILITY_NAMED_IAM
say "Done. Next: scripts/deploy-orchestrator.sh --region $region"
printf 's3://%s\n' "$bucket"
