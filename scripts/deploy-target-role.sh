#!/usr/bin/env bash
# Deploys the DR execution role (role-templates/TargetAccountsAssumeRole.yaml): in the orchestrator
# account and in each application account, once, in either Region (IAM is global).
#
#   scripts/deploy-target-role.sh [--region REGION] [--parameters FILE]
#                                 [--orchestrator-account ID] [--regions PRIMARY,SECONDARY]
#                                 [--deploy-cf-policies ARN[,ARN]] [--stack-name NAME]
#                                 [--stackset (--accounts ID[,ID] | --ous OU[,OU])]
#
#   --region REGION            default: the AWS CLI's Region
#   --parameters FILE          the orchestrator's parameter file, for the role's name and OrgId;
#                              default: samples/orchestrator-parameters-<region>.json
#   --orchestrator-account ID  default: the account of the credentials. In an application account,
#                              give it
#   --regions A,B              the role may act in these two Regions only; default: anywhere
#   --deploy-cf-policies ARNS  also makes the service role aws-dr-orchestrator-deploy-cf with these
#                              managed policies, for the RoleARN of DeployCF's steps
#   --stack-name NAME          default: aws-dr-orchestrator-target-role
#   --stackset                 deploys a StackSet from this account, the management account or a
#                              delegated administrator:
#     --accounts ID[,ID]       into these accounts, which have the self-managed roles
#                              AWSCloudFormationStackSet{Administration,Execution}Role
#     --ous OU[,OU]            or into all accounts of these organizational units, service-managed:
#                              accounts that join later get the role too. The management account
#                              is never among them: there, run this script without --stackset
#
# Running it again without changes does nothing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-stack.sh
source "$REPO/scripts/lib-stack.sh"

region="" parameter_file="" orchestrator="" regions="" policies="" stackset=no accounts="" ous=""
stack=aws-dr-orchestrator-target-role
while [ $# -gt 0 ]; do
  case $1 in
    --region) region=$(option_value --region "$@"); shift 2 ;;
    --parameters) parameter_file=$(option_value --parameters "$@"); shift 2 ;;
    --orchestrator-account) orchestrator=$(option_value --orchestrator-account "$@"); shift 2 ;;
    --regions) regions=$(option_value --regions "$@"); shift 2 ;;
    --deploy-cf-policies) policies=$(option_value --deploy-cf-policies "$@"); shift 2 ;;
    --stack-name) stack=$(option_value --stack-name "$@"); shift 2 ;;
    --stackset) stackset=yes; shift ;;
    --accounts) accounts=$(option_value --accounts "$@"); shift 2 ;;
    --ous) ous=$(option_value --ous "$@"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

template=$REPO/role-templates/TargetAccountsAssumeRole.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(python_command)

check_options() {
  if [ "$stackset" = yes ]; then
    [ -n "$accounts$ous" ] || die "--stackset needs --accounts or --ous." "Give one of them."
    [ -z "$accounts" ] || [ -z "$ous" ] ||
      die "--accounts and --ous exclude each other." "Give one of them."
  elif [ -n "$accounts$ous" ]; then
    die "--accounts and --ous belong to --stackset." "Add --stackset, or leave them out."
  fi
  case $regions in
    "" | ?*,?*) ;;
    *) die "--regions needs two: --regions us-east-1,us-west-2" "Give both, or leave it out." ;;
  esac
}

gather_parameters() {
  parameter_file=${parameter_file:-$REPO/samples/orchestrator-parameters-$region.json}
  [ -f "$parameter_file" ] ||
    die "There is no parameter file $parameter_file." "Give --parameters FILE."
  local account answer arguments name
  if ! account=$(aws sts get-caller-identity --query Account --output text 2>&1); then
    die "No valid AWS credentials: $(last_line "$account")" \
      "Log in, or choose a profile with AWS_PROFILE."
  fi
  orchestrator=${orchestrator:-$account}
  arguments=(--set "OrchestratorAccountId=$orchestrator" --set "DeployCFPolicyArns=$policies"
    --set "PrimaryRegion=${regions%%,*}" --set "SecondaryRegion=${regions#*,}")
  # Both stacks must share these two.
  for name in TargetAccountsAssumeRoleName OrgId; do
    answer=$(parameter_in "$parameter_file" "$name")
    if [ -n "$answer" ]; then arguments+=(--set "$name=$answer"); fi
  done
  "$python" "$REPO/scripts/python/parameters.py" --template "$template" "${arguments[@]}" \
    >"$work/parameters" ||
    die "Wrong values:
$(cat "$work/parameters")" "Correct them, then run this again."
}

wait_for_operation() {
  local status operation=(--stack-set-name "$stack" --operation-id "$1" --output text)
  while :; do
    status=$(aws cloudformation describe-stack-set-operation "${operation[@]}" \
      --query StackSetOperation.Status)
    case $status in
      SUCCEEDED) return 0 ;;
      FAILED | STOPPED)
        aws cloudformation list-stack-set-operation-results "${operation[@]}" \
          --query "Summaries[?Status!='SUCCEEDED'].[Account,Region,Status,StatusReason]" >&2
        die "The StackSet operation ended as $status." "Correct the above, then run this again."
        ;;
    esac
    sleep 3
  done
}

run_operation() {
  local id
  id=$(aws cloudformation "$@" --query OperationId --output text)
  wait_for_operation "$id"
}

deploy_stackset() {
  local targets=() model=(--permission-model SELF_MANAGED)
  if [ -n "$ous" ]; then
    model=(--permission-model SERVICE_MANAGED
      --auto-deployment "Enabled=true,RetainStacksOnAccountRemoval=false")
    targets=(--deployment-targets "OrganizationalUnitIds=$ous")
  else
    IFS=, read -r -a targets <<<"$accounts"
    targets=(--accounts "${targets[@]}")
  fi
  local options=(--stack-set-name "$stack" --template-body "file://$template"
    --capabilities CAPABILITY_NAMED_IAM --parameters "$(_parameters_json "$work/parameters")")
  if aws cloudformation describe-stack-set --stack-set-name "$stack" >/dev/null 2>&1; then
    say "Updating the StackSet $stack in all its accounts"
    run_operation update-stack-set "${options[@]}"
  else
    say "Creating the StackSet $stack"
    aws cloudformation create-stack-set "${options[@]}" "${model[@]}" >/dev/null
  fi
  say "Making sure of its stacks in ${accounts:-$ous} ($region)"
  run_operation create-stack-instances --stack-set-name "$stack" "${targets[@]}" --regions "$region"
}

check_options
find_aws
use_region
gather_parameters
if [ "$stackset" = yes ]; then
  deploy_stackset
else
  say "Deploying the stack $stack in $region"
  deploy_stack "$stack" "$template" "$work/parameters" CAPABILITY_NAMED_IAM
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]'
fi
name=$(awk -F'\t' '$1 == "TargetAccountsAssumeRoleName" { print $2 }' "$work/parameters")
say "Done. The orchestrator of account $orchestrator may now act here as $name."
