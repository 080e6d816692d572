#!/usr/bin/env bash
# Deploying CloudFormation stacks, for scripts that have sourced lib.sh. Defines
#   use_region            completes and exports region: the variable, else the AWS CLI's Region
#   parameter_in FILE NAME   one value of an orchestrator's parameter file; empty when it has none
#   stack_status STACK    its status, or NONE
#   deploy_stack STACK TEMPLATE PARAMETERS CAPABILITIES...
#       TEMPLATE is a file or an https URL, PARAMETERS a file of name<TAB>value lines. Makes a
#       change set and executes it; on failure prints every failed event of the stack and its
#       nested stacks and ends the script.
# Not "aws cloudformation deploy": that looks every 30 s only and names no nested resource.

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  echo "lib-stack.sh is sourced by the other scripts; it does nothing by itself." >&2
  exit 2
fi

use_region() {
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
  [ -n "$region" ] || region=$(aws configure get region 2>/dev/null || true)
  [ -n "$region" ] || die "No Region." "Give --region, or: aws configure set region us-east-1"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
}

parameter_in() {
  "$(python_command)" -c '
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from parameters import given_parameters
given, problems = given_parameters(Path(sys.argv[2]))
sys.exit("; ".join(problems)) if problems else print(given.get(sys.argv[3], ""))' \
    "$REPO/scripts/python" "$1" "$2"
}

stack_status() {
  local status
  if status=$(aws cloudformation describe-stacks --stack-name "$1" \
    --query 'Stacks[0].StackStatus' --output text 2>&1); then
    printf '%s' "$status"
  elif [[ $status == *"does not exist"* ]]; then
    printf 'NONE'
  else
    die "The stack $1 cannot be read: $(last_line "$status")" \
      "Check the credentials and their permission cloudformation:DescribeStacks."
  fi
}

last_line() { printf '%s' "$1" | awk 'NF { line = $0 } END { print line }'; }

# One line per failed event, the oldest first, nested stacks indented below their own event.
failed_events() {
  local stack=$1 since=$2 indent=${3:-  } time resource type physical reason
  local fields="Timestamp,LogicalResourceId,ResourceType,PhysicalResourceId||'-'"
  while IFS=$'\t' read -r time resource type physical reason; do
    [[ ! $time < $since ]] || continue
    case $reason in *"ancelled"*) continue ;; esac
    printf '%s%s (%s): %s\n' "$indent" "$resource" "$type" "$reason" >&2
    # A stack's events are also about itself, by its name or its ARN.
    case "$type $physical" in
      *" $stack" | *":stack/$stack/"*) ;;
      "AWS::CloudFormation::Stack arn:"*) failed_events "$physical" "$since" "$indent  " ;;
    esac
  done < <(
    aws cloudformation describe-stack-events --stack-name "$stack" --output text --query \
      "reverse(StackEvents[?contains(ResourceStatus,'FAILED')].[$fields,ResourceStatusReason||'-'])"
  )
}

_parameters_json() {
  "$(python_command)" -c 'import json, sys
rows = [line.rstrip("\n").partition("\t") for line in open(sys.argv[1]) if line.strip()]
print(json.dumps([{"ParameterKey": k, "ParameterValue": v} for k, _, v in rows]))' "$1"
}

_wait_for_change_set() {
  local stack=$1 name=$2 answer status reason
  while :; do
    answer=$(aws cloudformation describe-change-set --stack-name "$stack" \
      --change-set-name "$name" --query '[Status,StatusReason]' --output text)
    status=${answer%%$'\t'*} reason=${answer#*$'\t'}
    case $status in
      CREATE_COMPLETE) return 0 ;;
      FAILED) printf '%s' "$reason"; return 1 ;;
    esac
    sleep 1
  done
}

_wait_for_stack() {
  local stack=$1 status last="" started=$SECONDS reported=$SECONDS
  while :; do
    status=$(stack_status "$stack")
    if [ "$status" != "$last" ] || [ $((SECONDS - reported)) -ge 30 ]; then
      say "  $stack: $status, $((SECONDS - started)) s"
      last=$status reported=$SECONDS
    fi
    case $status in
      *_CLEANUP_IN_PROGRESS) return 0 ;;
      *_IN_PROGRESS) sleep 2 ;;
      CREATE_COMPLETE | UPDATE_COMPLETE) return 0 ;;
      *) return 1 ;;
    esac
  done
}

# A stack whose first creation failed holds nothing and can only be deleted.
_clear_failed_creation() {
  say "Deleting the stack $1 first: its creation had failed, it holds nothing"
  aws cloudformation delete-stack --stack-name "$1"
  local attempt
  for attempt in $(seq 1 150); do
    [ "$(stack_status "$1")" != NONE ] || return 0
    [ "$attempt" -lt 150 ] && sleep 2
  done
  die "The stack $1 was not deleted within 5 minutes." \
    "Look at its events in the CloudFormation console."
}

# CREATE or UPDATE, whichever the stack's status allows.
_kind_of_change() {
  case $(stack_status "$1") in
    NONE) kind=CREATE ;;
    ROLLBACK_COMPLETE | REVIEW_IN_PROGRESS)
      _clear_failed_creation "$1"
      kind=CREATE
      ;;
    *_CLEANUP_IN_PROGRESS | *_COMPLETE) kind=UPDATE ;;
    *_IN_PROGRESS)
      die "The stack $1 is being changed by someone else." "Wait for it, then run this again." ;;
    *) die "The stack $1 is in a failed state." \
      "Repair it in the CloudFormation console (Continue update rollback), then run this again." ;;
  esac
}

deploy_stack() {
  local stack=$1 template=$2 parameters=$3 kind name since reason change
  shift 3
  _kind_of_change "$stack"
  local template_option=(--template-body "file://$template")
  [[ $template != https://* ]] || template_option=(--template-url "$template")
  name=deploy-$(date -u +%Y%m%d-%H%M%S)
  since=$(date -u +%Y-%m-%dT%H:%M)
  change=(--stack-name "$stack" --change-set-name "$name")
  aws cloudformation create-change-set "${change[@]}" --change-set-type "$kind" \
    "${template_option[@]}" --capabilities "$@" \
    --parameters "$(_parameters_json "$parameters")" >/dev/null
  if ! reason=$(_wait_for_change_set "$stack" "$name"); then
    aws cloudformation delete-change-set "${change[@]}" >/dev/null 2>&1 || true
    case $reason in
      *"didn't contain changes"* | *"No updates are to be performed"*)
        say "  $stack: no changes"
        return 0
        ;;
    esac
    die "CloudFormation refuses the template of $stack: $reason" "Correct it, then run this again."
  fi
  aws cloudformation execute-change-set "${change[@]}"
  if ! _wait_for_stack "$stack"; then
    printf '%s\n' "What failed:" >&2
    failed_events "$stack" "$since"
    die "The stack $stack was not deployed: $(stack_status "$stack")." \
      "Correct what stands above, the innermost line first, then run this again."
  fi
}
