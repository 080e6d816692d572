#!/usr/bin/env bash
# The checks before the orchestrator is deployed, for deploy-orchestrator.sh: each adds what is
# wrong to one list, none changes anything. Uses its variables region, bucket, stack, work and python.
#   problem TEXT        adds to the list
#   stop_on_problems    ends the script when there is any
#   gather_facts        calls AWS, all calls side by side
#   check_...           read the answers; check_stack sets status, check_credentials sets account
# shellcheck disable=SC2154  # those variables are the caller's

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  echo "lib-preflight.sh is sourced by deploy-orchestrator.sh; it does nothing by itself." >&2
  exit 2
fi

problem() { printf '%s\n' "$1" >>"$work/problems"; }

stop_on_problems() {
  local line
  [ -s "$work/problems" ] || return 0
  while IFS= read -r line; do
    printf '%s\n' "${RED}problem:${PLAIN} $line" >&2
  done <"$work/problems"
  die "Nothing was changed." "Correct the above, then run this again."
}

fetch() {
  local name=$1
  shift
  (aws "$@" --output text >"$work/$name" 2>"$work/$name.error" && rm "$work/$name.error") &
}

failed() { [ -f "$work/$1.error" ]; }

answer() { awk 'NF { line = $0 } END { print line }' "$work/$1"; }

gather_facts() {
  fetch account sts get-caller-identity --query Account
  fetch deployed cloudformation describe-stacks --stack-name "$stack" \
    --query 'Stacks[0].[StackStatus,Parameters[].[ParameterKey,ParameterValue]][]'
  fetch concurrency lambda get-account-settings \
    --query AccountLimit.UnreservedConcurrentExecutions
  gather_bucket
  gather_network
  wait
}

gather_bucket() {
  fetch location s3api get-bucket-location --bucket "$bucket" --query LocationConstraint
  fetch manifest-listing s3api list-objects-v2 --bucket "$bucket" \
    --prefix dr-orchestration-artifacts/manifest-files/ --query 'Contents[].[Key,ETag]'
  fetch versioning s3api get-bucket-versioning --bucket "$bucket" --query Status
  fetch public s3api get-public-access-block --bucket "$bucket" \
    --query 'PublicAccessBlockConfiguration.*'
  fetch encryption s3api get-bucket-encryption --bucket "$bucket" --query \
    'ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.[SSEAlgorithm,KMSMasterKeyID]'
  fetch policy s3api get-bucket-policy --bucket "$bucket" --query Policy
}

gather_network() {
  local name
  for name in LambdaSubnet1 LambdaSubnet2; do
    [ -z "$(parameter $name)" ] || fetch $name ec2 describe-subnets \
      --subnet-ids "$(parameter $name)" --query 'Subnets[0].VpcId'
  done
  [ -z "$(parameter LambdaSGId)" ] || fetch LambdaSGId ec2 describe-security-groups \
    --group-ids "$(parameter LambdaSGId)" --query 'SecurityGroups[0].VpcId'
}

# Without credentials every other answer is a consequence, so this one stops by itself.
check_credentials() {
  if failed account; then
    problem "no valid AWS credentials; log in, or choose a profile with AWS_PROFILE:
         $(answer account.error)"
    stop_on_problems
  fi
  account=$(answer account)
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

check_bucket() {
  local location
  if failed location; then
    case $(answer location.error) in
      *NoSuchBucket*) location="does not exist. Make it: scripts/create-template-store.sh --region $region" ;;
      *AccessDenied*) location="belongs to another account, or its policy forbids reading it" ;;
      *) location="cannot be read: $(answer location.error)" ;;
    esac
    problem "the bucket $bucket $location"
    return 0
  fi
  location=$(answer location)
  case $location in None | null | "") location=us-east-1 ;; EU) location=eu-west-1 ;; esac
  if [ "$location" != "$region" ]; then
    problem "the bucket $bucket is in $location; each Region needs one of its own, here in $region"
    return 0
  fi
  if failed manifest-listing; then
    problem "the objects of the bucket $bucket cannot be listed: $(answer manifest-listing.error)"
  fi
  check_bucket_settings
}

# A setting that the bucket lacks, why it matters, and the command that mends it.
lacking() { warn "The bucket $bucket $1. Mend it:"$'\n'"  aws s3api $2 --bucket $bucket --region $region $3"; }

# Whether the answer could not be had at all; a bucket without the setting answers with an error too.
unreadable() {
  failed "$1" || return 1
  case $(answer "$1.error") in
    *NoSuchBucketPolicy* | *NoSuchPublicAccessBlock* | *ServerSideEncryptionConfigurationNotFound*)
      : >"$work/$1"
      return 1
      ;;
  esac
  warn "The bucket's $1 could not be checked: $(answer "$1.error")"
}

check_bucket_settings() {
  unreadable versioning || [ "$(answer versioning)" = Enabled ] ||
    lacking "keeps no versions: an overwritten manifest is lost" put-bucket-versioning \
      "--versioning-configuration Status=Enabled"
  unreadable public || case $(cat "$work/public") in
    *False* | *None* | "")
      lacking "does not block public access, and it holds task tokens" put-public-access-block \
        "--public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true" ;;
  esac
  unreadable encryption || check_bucket_encryption
  unreadable policy || check_bucket_policy
}

check_bucket_encryption() {
  local algorithm key wanted
  wanted=$(parameter TemplateStoreKmsKeyArn)
  read -r algorithm key <<<"$(answer encryption)"
  case $algorithm in
    "" | None)
      lacking "has no default encryption" put-bucket-encryption "--server-side-encryption-configuration \
'{\"Rules\": [{\"ApplyServerSideEncryptionByDefault\": {\"SSEAlgorithm\": \"AES256\"}}]}'"
      return 0
      ;;
  esac
  case ${key:-None} in
    None | *alias/aws/s3)
      [ -z "$wanted" ] || lacking "is not encrypted with $wanted, which TemplateStoreKmsKeyArn names" \
        put-bucket-encryption "--server-side-encryption-configuration '{\"Rules\": [{\"BucketKeyEnabled\": true, \
\"ApplyServerSideEncryptionByDefault\": {\"SSEAlgorithm\": \"aws:kms\", \"KMSMasterKeyID\": \"$wanted\"}}]}'"
      ;;
    *) [ -n "$wanted" ] ||
      problem "the bucket $bucket is encrypted with $key: give its ARN as TemplateStoreKmsKeyArn" ;;
  esac
}

check_bucket_policy() {
  local statement partition=aws
  "$python" -c 'import json, sys
def listed(value): return value if isinstance(value, list) else [value]
def tls_only(s):
    condition = s.get("Condition", {}).get("Bool", {})
    plain = any(k.lower() == "aws:securetransport" and str(listed(v)[0]).lower() == "false"
                for k, v in condition.items())
    return (s.get("Effect") == "Deny" and plain and s.get("Principal") in ("*", {"AWS": "*"})
            and {"s3:*", "*"} & set(listed(s.get("Action"))))
policy = json.loads(open(sys.argv[1]).read() or "{}")
sys.exit(not any(tls_only(s) for s in listed(policy.get("Statement", []))))' "$work/policy" && return 0
  case $region in cn-*) partition=aws-cn ;; us-gov-*) partition=aws-us-gov ;; esac
  statement="{\"Sid\": \"TlsOnly\", \"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", \
\"Resource\": [\"arn:$partition:s3:::$bucket\", \"arn:$partition:s3:::$bucket/*\"], \
\"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"false\"}}}"
  if [ -s "$work/policy" ]; then
    # The command replaces the whole policy: what is there must not be lost.
    warn "The policy of the bucket $bucket admits plain HTTP. Add this statement to it (aws s3api" \
      "get-bucket-policy, then put-bucket-policy):"$'\n'"  $statement"
  else
    lacking "admits plain HTTP" put-bucket-policy \
      "--policy '{\"Version\": \"2012-10-17\", \"Statement\": [$statement]}'"
  fi
}

check_network() {
  local name id found vpc="" first
  first=$(parameter LambdaSubnet1)
  [ -n "$first" ] || return 0
  for name in LambdaSubnet1 LambdaSubnet2 LambdaSGId; do
    id=$(parameter $name)
    [ -n "$id" ] || continue
    if failed $name; then
      problem "$name $id does not exist in $region of account $account: $(answer $name.error)"
      continue
    fi
    found=$(answer $name)
    if [ -n "$vpc" ] && [ "$found" != "$vpc" ]; then
      problem "$name $id is in $found, but LambdaSubnet1 $first is in $vpc: all belong in one VPC"
    fi
    vpc=${vpc:-$found}
  done
  if [ "$first" = "$(parameter LambdaSubnet2)" ]; then
    warn "LambdaSubnet1 and LambdaSubnet2 are the same subnet: one Availability Zone."
  fi
  set_parameter LambdaVpcId "$vpc"
}

# AWS keeps 100 concurrent executions of an account for functions without a reservation.
check_concurrency() {
  local wanted deployed need free
  wanted=$(parameter CoreReservedConcurrency)
  [ "$wanted" != NONE ] || return 0
  deployed=$(lookup CoreReservedConcurrency "$work/deployed")
  [ "$deployed" != NONE ] || deployed=0
  need=$(((wanted - ${deployed:-0}) * 6))
  if failed concurrency; then
    warn "The account's Lambda concurrency could not be read: $(answer concurrency.error)"
    return 0
  fi
  free=$(answer concurrency)
  if [ $((free - need)) -lt 100 ]; then
    problem "CoreReservedConcurrency $wanted reserves $need more concurrent executions, but $region\
 has $free unreserved and AWS keeps 100: lower it, use NONE, or raise the quota"
  fi
}
