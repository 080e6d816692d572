//! One call of each action that a type declares as a write.

use e2e::raw::{Answer, To};
use e2e::sessions::Contract;
use e2e::{WEST, World};
use serde_json::json;

const ACCOUNT: &str = "123456789012";

/// Calls a write of a contract on the resource of this name, with these keys.
pub fn call(world: &World, contract: &Contract, action: &str, key: &str, name: &str) -> Answer {
    let (service, operation) = action.split_once(':').expect("service:Action");
    let to = To { service, region: WEST, key };
    match service {
        "rds" => world.control.query(to, operation, &rds(operation, name)),
        "elasticache" => world.control.query(to, operation, &elasticache(operation, name)),
        "cloudformation" => world.control.query(to, operation, &stacks(name)),
        "lambda" => {
            let path = format!("/2015-03-31/functions/{name}/invocations");
            world.control.rest(to, &path, &json!({}))
        }
        "ssm" => {
            let body = json!({"Name": format!("/{name}"), "Value": "x", "Type": "String"});
            world.control.json(to, "AmazonSSM.PutParameter", &body)
        }
        "kms" => {
            let key = format!("arn:aws:kms:{WEST}:{ACCOUNT}:key/{name}");
            let grantee = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
            let body =
                json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": ["Decrypt"]});
            world.control.json(to, &format!("TrentService.{operation}"), &body)
        }
        // Nobody calls it: it is asked for when another call hands a role on.
        "iam" => pass_role(world, contract, key, name),
        other => panic!("no call of {other} is known: {action}"),
    }
}

fn pass_role(world: &World, contract: &Contract, key: &str, name: &str) -> Answer {
    let hand_on = |service: &'static str, operation: &str, parameter: &'static str, role: &str| {
        let mut parameters = if service == "rds" { rds(operation, name) } else { stacks(name) };
        parameters.push((parameter, format!("arn:aws:iam::{ACCOUNT}:role/{role}")));
        world.control.query(To { service, region: WEST, key }, operation, &parameters)
    };
    let writes = |action: &str| contract.writes.iter().any(|w| w == action);
    if writes("cloudformation:CreateChangeSet") {
        let role = "dr-orchestrator/aws-dr-orchestrator-deploy-cf";
        return hand_on("cloudformation", "CreateChangeSet", "RoleARN", role);
    }
    let creates = ["CreateDBInstanceReadReplica", "CreateDBInstance"];
    let creates = creates.into_iter().find(|c| writes(&format!("rds:{c}")));
    let creates = creates.unwrap_or_else(|| panic!("{} hands no role on", contract.kind));
    hand_on("rds", creates, "MonitoringRoleArn", "monitoring")
}

fn arn(service: &str, kind: &str, name: &str) -> String {
    format!("arn:aws:{service}:{WEST}:{ACCOUNT}:{kind}:{name}")
}

fn rds(operation: &str, name: &str) -> Vec<(&'static str, String)> {
    let id = |key: &'static str| (key, name.to_owned());
    let snapshot = |key: &'static str| (key, format!("{name}-snapshot"));
    let cluster = |key: &'static str| (key, arn("rds", "cluster", name));
    match operation {
        "AddTagsToResource" => vec![
            ("ResourceName", arn("rds", "db", name)),
            ("Tags.Tag.1.Key", "k".to_owned()),
            ("Tags.Tag.1.Value", "v".to_owned()),
        ],
        "CreateDBInstanceReadReplica" => {
            vec![id("DBInstanceIdentifier"), ("SourceDBInstanceIdentifier", arn("rds", "db", name))]
        }
        "CreateDBSnapshot" => vec![id("DBInstanceIdentifier"), snapshot("DBSnapshotIdentifier")],
        "CopyDBSnapshot" => {
            vec![snapshot("SourceDBSnapshotIdentifier"), id("TargetDBSnapshotIdentifier")]
        }
        "CreateDBClusterSnapshot" => {
            vec![id("DBClusterIdentifier"), snapshot("DBClusterSnapshotIdentifier")]
        }
        "CopyDBClusterSnapshot" => vec![
            snapshot("SourceDBClusterSnapshotIdentifier"),
            id("TargetDBClusterSnapshotIdentifier"),
        ],
        "CreateGlobalCluster" | "DeleteGlobalCluster" => vec![id("GlobalClusterIdentifier")],
        "SwitchoverGlobalCluster" | "FailoverGlobalCluster" => {
            vec![id("GlobalClusterIdentifier"), cluster("TargetDbClusterIdentifier")]
        }
        "RemoveFromGlobalCluster" => {
            vec![id("GlobalClusterIdentifier"), cluster("DbClusterIdentifier")]
        }
        "CreateDBCluster" => {
            vec![id("DBClusterIdentifier"), ("Engine", "aurora-mysql".to_owned())]
        }
        "ModifyDBCluster" | "DeleteDBCluster" => vec![id("DBClusterIdentifier")],
        "CreateDBInstance" => vec![
            id("DBInstanceIdentifier"),
            ("Engine", "aurora-mysql".to_owned()),
            ("DBInstanceClass", "db.r6g.large".to_owned()),
            id("DBClusterIdentifier"),
        ],
        "PromoteReadReplica" | "ModifyDBInstance" | "DeleteDBInstance" => {
            vec![id("DBInstanceIdentifier")]
        }
        other => panic!("no call of rds:{other} is known"),
    }
}

fn elasticache(operation: &str, name: &str) -> Vec<(&'static str, String)> {
    let group = |key: &'static str| (key, name.to_owned());
    let global = ("GlobalReplicationGroupId", format!("sgaui-{name}"));
    match operation {
        "AddTagsToResource" => vec![
            ("ResourceName", arn("elasticache", "replicationgroup", name)),
            ("Tags.Tag.1.Key", "k".to_owned()),
            ("Tags.Tag.1.Value", "v".to_owned()),
        ],
        "CreateReplicationGroup" => vec![
            group("ReplicationGroupId"),
            ("ReplicationGroupDescription", "x".to_owned()),
            global,
        ],
        "CreateGlobalReplicationGroup" => {
            vec![group("GlobalReplicationGroupIdSuffix"), group("PrimaryReplicationGroupId")]
        }
        "DeleteReplicationGroup" => vec![group("ReplicationGroupId")],
        "CreateSnapshot" => {
            vec![group("ReplicationGroupId"), ("SnapshotName", format!("{name}-snapshot"))]
        }
        "DeleteGlobalReplicationGroup" => {
            vec![global, ("RetainPrimaryReplicationGroup", "true".to_owned())]
        }
        "DisassociateGlobalReplicationGroup" => {
            vec![global, group("ReplicationGroupId"), ("ReplicationGroupRegion", WEST.to_owned())]
        }
        "FailoverGlobalReplicationGroup" => {
            vec![global, ("PrimaryRegion", WEST.to_owned()), group("PrimaryReplicationGroupId")]
        }
        other => panic!("no call of elasticache:{other} is known"),
    }
}

fn stacks(name: &str) -> Vec<(&'static str, String)> {
    vec![
        ("StackName", name.to_owned()),
        ("ChangeSetName", format!("{name}-changes")),
        ("TemplateBody", "{}".to_owned()),
        ("EnableTerminationProtection", "true".to_owned()),
    ]
}
