#!/usr/bin/env bash
# Deploys the sample databases into two Regions: an Aurora MySQL and an Aurora PostgreSQL global
# database, RDS for MySQL with a cross-Region read replica, an ElastiCache global datastore. Their
# stacks export the names that the payloads and manifests beside this script import.
#
#   bash samples/databases/deploy.sh [--primary REGION] [--dr REGION]
#
#   --primary REGION   serves now; default us-east-1
#   --dr REGION        waits; default us-west-2
#
# Works against any endpoint that AWS_ENDPOINT_URL names. It may be started again at any time: what is
# there stays. On AWS it costs money: six database instances and four cache nodes run until they are
# deleted, and the stacks retain them (the orchestrator works on them outside of their stacks).
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

HERE="$REPO/samples/databases"
PRIMARY=us-east-1
DR=us-west-2

while [ $# -gt 0 ]; do
  case $1 in
    --primary) PRIMARY=$(option_value "$1" "$@"); shift 2 ;;
    --dr) DR=$(option_value "$1" "$@"); shift 2 ;;
    -h | --help) print_help; exit 0 ;;
    *) unknown_option "$1" ;;
  esac
done

ensure_venv

# deploy_stack REGION STACK TEMPLATE Key=Value...
deploy_stack() {
  local region=$1 stack=$2 template=$3
  shift 3
  say "$region: stack $stack"
  aws cloudformation deploy --region "$region" --stack-name "$stack" \
    --template-file "$HERE/world/$template" --capabilities CAPABILITY_IAM \
    --no-fail-on-empty-changeset --parameter-overrides "$@" >/dev/null
}

# output REGION STACK KEY
output() {
  aws cloudformation describe-stacks --region "$1" --stack-name "$2" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$3'].OutputValue"
}

# A password is made once; a later deployment keeps the value that the stack has.
# password STACK -> the words of an override, or none
password() {
  aws cloudformation describe-stacks --region "$PRIMARY" --stack-name "$1" >/dev/null 2>&1 ||
    printf 'MasterPassword=%s\n' "$(head -c 24 /dev/urandom | base64 | tr -d '/+=')"
}

# aurora STACK GLOBAL NAME [Key=Value...]: both clusters of a global database
aurora() {
  local stack=$1 global=$2 name=$3 secret
  shift 3
  secret=$(password "$stack")
  deploy_stack "$PRIMARY" "$stack" aurora.yaml "GlobalClusterIdentifier=$global" IsPrimary=true \
    "ClusterName=$name-01" "PeerRegion=$DR" "PeerClusterName=$name-02" ${secret:+"$secret"} "$@"
  deploy_stack "$DR" "$stack" aurora.yaml "GlobalClusterIdentifier=$global" IsPrimary=false \
    "ClusterName=$name-02" "PeerRegion=$PRIMARY" "PeerClusterName=$name-01" "$@"
}

rds() {
  local secret
  secret=$(password databases-rds-mysql)
  deploy_stack "$PRIMARY" databases-rds-mysql rds-mysql.yaml IsPrimary=true \
    InstanceIdentifier=rds-mysql-01 "PeerRegion=$DR" PeerInstanceIdentifier=rds-mysql-02 \
    ${secret:+"$secret"}
  deploy_stack "$DR" databases-rds-mysql rds-mysql.yaml IsPrimary=false \
    InstanceIdentifier=rds-mysql-02 "PeerRegion=$PRIMARY" PeerInstanceIdentifier=rds-mysql-01
}

# The id of a global datastore begins with a prefix of the Region in which it was made, so it changes
# when REPLICATE makes it anew: manifests read it from a parameter, which that step then overwrites.
remember_datastore() {
  aws ssm get-parameter --region "$1" --name /databases/global-replication-group-id >/dev/null 2>&1 ||
    aws ssm put-parameter --region "$1" --name /databases/global-replication-group-id --type String \
      --value "$2" >/dev/null
}

cache() {
  local datastore
  deploy_stack "$PRIMARY" databases-elasticache elasticache.yaml IsPrimary=true \
    GroupName=demo-redis-01 "PeerRegion=$DR" PeerGroupName=demo-redis-02
  datastore=$(output "$PRIMARY" databases-elasticache GlobalId)
  deploy_stack "$DR" databases-elasticache elasticache.yaml IsPrimary=false \
    GroupName=demo-redis-02 "PeerRegion=$PRIMARY" PeerGroupName=demo-redis-01 \
    "GlobalReplicationGroupId=$datastore"
  remember_datastore "$PRIMARY" "$datastore"
  remember_datastore "$DR" "$datastore"
}

deploy_stack "$PRIMARY" databases-network network.yaml VpcCidr=10.40.0.0/16
deploy_stack "$DR" databases-network network.yaml VpcCidr=10.50.0.0/16 SubnetCidr1=10.50.1.0/24 \
  SubnetCidr2=10.50.2.0/24
aurora databases-aurora-mysql dr-globaldb-cluster-mysql dbcluster-mysql
aurora databases-aurora-postgresql dr-globaldb-cluster-postgresql dbcluster-postgresql \
  Engine=aurora-postgresql EngineVersion=16.8 Port=5432
rds
cache
say "The sample databases serve in $PRIMARY and follow in $DR."
