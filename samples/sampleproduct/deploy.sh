#!/usr/bin/env bash
# Deploys the sample product: a database in the primary Region with a replica in the standby Region,
# the orders service in the primary, and the settings that the manifests read, in both Regions.
#
#   bash samples/sampleproduct/deploy.sh [--primary REGION] [--standby REGION]
#
#   --primary REGION   serves now; default us-east-1
#   --standby REGION   waits; default us-west-2
#
# The buckets are those of samples/orchestrator-parameters-<Region>.json (or --parameters-dir DIR).
# Works against any endpoint that AWS_ENDPOINT_URL names. On AWS it costs money: two database
# instances run until they are deleted.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

HERE="$REPO/samples/sampleproduct"
PRIMARY=us-east-1
STANDBY=us-west-2
PARAMETERS_DIR="$REPO/samples"
RELEASE=1
DATABASE=orders-db

while [ $# -gt 0 ]; do
  case $1 in
    --primary) PRIMARY=$(option_value "$1" "$@"); shift 2 ;;
    --standby) STANDBY=$(option_value "$1" "$@"); shift 2 ;;
    --parameters-dir) PARAMETERS_DIR=$(option_value "$1" "$@"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

ensure_venv

# bucket REGION
bucket() {
  "$VENV/bin/python" - "$PARAMETERS_DIR/orchestrator-parameters-$1.json" <<'PY'
import json, sys
print(next(p["ParameterValue"] for p in json.load(open(sys.argv[1]))
           if p["ParameterKey"] == "TemplateStoreS3BucketName"))
PY
}

# deploy_stack REGION STACK TEMPLATE [Key=Value...]
deploy_stack() {
  local region=$1 stack=$2 template=$3
  shift 3
  say "$region: stack $stack"
  local overrides=()
  [ $# -eq 0 ] || overrides=(--parameter-overrides "$@")
  aws cloudformation deploy --region "$region" --stack-name "$stack" \
    --template-file "$HERE/world/$template" --capabilities CAPABILITY_IAM \
    --no-fail-on-empty-changeset "${overrides[@]}" >/dev/null
}

# output REGION STACK KEY
output() {
  aws cloudformation describe-stacks --region "$1" --stack-name "$2" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$3'].OutputValue"
}

upload() {
  local region=$1 bucket=$2 zip=$3
  aws s3 cp --quiet --region "$region" "$zip" "s3://$bucket/sampleproduct/orders-service-$RELEASE.zip"
  aws s3 cp --quiet --region "$region" "$HERE/world/orders-service.yaml" \
    "s3://$bucket/sampleproduct/orders-service.yaml"
}

# settings REGION PEER PEER_DATABASE
settings() {
  deploy_stack "$1" sampleproduct-settings settings.yaml \
    "CodeBucket=$(bucket "$1")" "ServiceRelease=$RELEASE" "PeerRegion=$2" \
    "PeerDatabaseIdentifier=$3" "PeerDatabaseArn=$(output "$2" sampleproduct-database Arn)" \
    "PeerSubnetGroup=$(output "$2" sampleproduct-network SubnetGroup)" \
    "PeerSecurityGroup=$(output "$2" sampleproduct-network SecurityGroup)" \
    "PeerKmsKeyArn=$(output "$2" sampleproduct-network KmsKeyArn)"
}

zip=$(mktemp -d)
trap 'rm -rf "$zip"' EXIT
"$VENV/bin/python" - "$HERE/service/bootstrap" "$zip/service.zip" <<'PY'
import sys, zipfile
entry = zipfile.ZipInfo("bootstrap", (2020, 1, 1, 0, 0, 0))
entry.external_attr = 0o755 << 16
with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(entry, open(sys.argv[1], "rb").read())
PY

for region in "$PRIMARY" "$STANDBY"; do
  upload "$region" "$(bucket "$region")" "$zip/service.zip"
done
deploy_stack "$PRIMARY" sampleproduct-network network.yaml
deploy_stack "$STANDBY" sampleproduct-network network.yaml VpcCidr=10.30.0.0/16 \
  SubnetCidr1=10.30.1.0/24 SubnetCidr2=10.30.2.0/24
# The password is made once; a later deployment keeps the value that the stack has.
password=()
aws cloudformation describe-stacks --region "$PRIMARY" --stack-name sampleproduct-database \
  >/dev/null 2>&1 || password=("MasterPassword=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')")
deploy_stack "$PRIMARY" sampleproduct-database database-primary.yaml \
  "DatabaseIdentifier=$DATABASE" "${password[@]}"
deploy_stack "$STANDBY" sampleproduct-database database-replica.yaml \
  "DatabaseIdentifier=$DATABASE-dr" "SourceRegion=$PRIMARY" \
  "SourceDatabaseArn=$(output "$PRIMARY" sampleproduct-database Arn)"
settings "$PRIMARY" "$STANDBY" "$DATABASE-dr"
settings "$STANDBY" "$PRIMARY" "$DATABASE"
deploy_stack "$PRIMARY" sampleproduct-orders-service orders-service.yaml \
  "CodeBucket=$(bucket "$PRIMARY")" "Release=$RELEASE" \
  "DatabaseEndpoint=$(output "$PRIMARY" sampleproduct-database Endpoint)"
say "The sample product runs in $PRIMARY, its standby is $STANDBY."
