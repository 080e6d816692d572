#!/usr/bin/env bash
# Evaluates the plans of product manifests at regular times (cloudformation/schedule.yaml): a dry run, without a mail
# and without a change, and an alarm to the approvers when a plan that was clean has blockers. Optional; for each
# Region in which the manifests would be started.
#
#   scripts/deploy-schedule.sh --manifest KEY... [--every MINUTES] [--region REGION]
#                              [--parameters FILE] [--stack-name NAME]
#
#   --manifest KEY     key of a product manifest in this Region's bucket, as it is given to start-execution; may be
#                      repeated. Those that an earlier call named and this one does not are evaluated no longer
#   --every MINUTES    15, 30, 60, 120, 240, 360, 720 or 1440; default: 1440, once a day
#   --region REGION    default: the AWS CLI's Region
#   --parameters FILE  the orchestrator's parameter file, for TemplateStoreS3BucketName;
#                      default: samples/orchestrator-parameters-<region>.json
#   --stack-name NAME  default: aws-dr-orchestrator-schedule; it must begin with aws-dr-orchestrator-
#
# The orchestrator must be deployed in this Region. Running it again without changes does nothing. To end it:
# aws cloudformation delete-stack --stack-name aws-dr-orchestrator-schedule
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-stack.sh
source "$REPO/scripts/lib-stack.sh"

region="" parameter_file="" minutes=1440 stack=aws-dr-orchestrator-schedule manifests=()
while [ $# -gt 0 ]; do
  case $1 in
    --manifest) manifests+=("$(option_value --manifest "$@")"); shift 2 ;;
    --every) minutes=$(option_value --every "$@"); shift 2 ;;
    --region) region=$(option_value --region "$@"); shift 2 ;;
    --parameters) parameter_file=$(option_value --parameters "$@"); shift 2 ;;
    --stack-name) stack=$(option_value --stack-name "$@"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(python_command)
template=$REPO/cloudformation/schedule.yaml

check_options() {
  [ ${#manifests[@]} -gt 0 ] || die "No manifest is named." "Give --manifest KEY, once for each."
  # The dead-letter queue takes events of such rules only, and CloudFormation names them after the stack.
  case $stack in
    aws-dr-orchestrator-*) ;;
    *) die "The stack name $stack does not begin with aws-dr-orchestrator-." "Choose another --stack-name." ;;
  esac
}

check_orchestrator() {
  local found
  found=$(aws cloudformation list-exports --output text --query \
    "Exports[?starts_with(Name,'dr-orchestrator-')].Name")
  case $found in
    *dr-orchestrator-dead-letter-queue-arn*) ;;
    *) die "The orchestrator is not deployed in $region, or an older version of it." \
      "First: scripts/deploy-orchestrator.sh --region $region" ;;
  esac
}

# The alarms carry the products' names: a name that is wrong would wait for a metric that never comes.
read_manifests() {
  local bucket key name answer products=""
  parameter_file=${parameter_file:-$REPO/samples/orchestrator-parameters-$region.json}
  [ -f "$parameter_file" ] ||
    die "There is no parameter file $parameter_file." "Give --parameters FILE."
  bucket=$(parameter_in "$parameter_file" TemplateStoreS3BucketName)
  for key in "${manifests[@]}"; do
    case $key in
      *[\",\\]*) die "The key $key holds a comma, a quote or a backslash." "Upload it under another key." ;;
    esac
    answer=$(aws s3api get-object --bucket "$bucket" --key "$key" "$work/manifest" 2>&1 >/dev/null) ||
      die "s3://$bucket/$key cannot be read: $(last_line "$answer")" \
        "Give the key below the bucket, such as dr-orchestration-artifacts/manifest-files/<file>."
    name=$("$python" "$REPO/scripts/python/product_name.py" "$work/manifest") ||
      die "s3://$bucket/$key: $name." "Give product manifests, not application manifests."
    case ${name#*$'\t'} in
      "" | "$region") ;;
      *) die "s3://$bucket/$key may be started in ${name#*$'\t'} only." "Run this with --region ${name#*$'\t'}." ;;
    esac
    name=${name%%$'\t'*}
    case ,$products, in *",$name,"*) ;; *) products+=${products:+,}$name ;; esac
  done
  "$python" "$REPO/scripts/python/parameters.py" --template "$template" \
    --set "ProductManifests=$(IFS=,; printf '%s' "${manifests[*]}")" --set "Products=$products" \
    --set "Minutes=$minutes" >"$work/parameters" || die "Wrong values:
$(cat "$work/parameters")" "Correct them, then run this again."
  say "Products: $products; manifests: ${#manifests[@]}"
}

check_options
find_aws
use_region
check_orchestrator
read_manifests
say "Deploying the stack $stack in $region"
deploy_stack "$stack" "$template" "$work/parameters" CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND
say "Done. The plans are made every $minutes minutes; alarms go to the approvers of $region."
