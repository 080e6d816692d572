//! Values as the databases framework sends them, and what is wrong without a call.

use super::*;
use serde_json::{Value, json};
use shared::progress::sample_cx;
use shared::{ErrorType, Phase};

/// The framework's failback payload with what its exports hold: all of it text.
fn payload() -> Value {
    json!({
        "GlobalClusterIdentifier": "dr-globaldb-cluster-mysql",
        "DBClusterIdentifier": "arn:aws:rds:us-east-1:123456789012:cluster:dbcluster-01",
        "DBClusterName": "dbcluster-01",
        "SourceDBClusterIdentifier": "arn:aws:rds:us-west-2:123456789012:cluster:dbcluster-02",
        "DBInstanceIdentifier": "dbcluster-01-instance",
        "Port": "3787",
        "DBInstanceClass": "db.r6g.large",
        "DBSubnetGroupName": "aurora-subnets",
        "VpcSecurityGroupIds": "sg-1",
        "Engine": "aurora-mysql",
        "EngineVersion": "8.0.mysql_aurora.3.05.2",
        "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/a-b",
        "SourceRegion": "us-west-2",
        "ClusterRegion": "us-east-1",
        "BackupRetentionPeriod": "7",
        "MonitoringInterval": "60",
        "StorageEncrypted": "True",
        "EnableIAMDatabaseAuthentication": "True",
        "DeletionProtection": "True",
        "CopyTagsToSnapshot": "True",
        "AutoMinorVersionUpgrade": "True",
        "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
    })
}

fn parameters(change: Value) -> Parameters {
    let mut all = payload();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
            value => all[name] = value.clone(),
        }
    }
    serde_json::from_value(all).unwrap()
}

fn wanted_of(change: Value) -> Result<Wanted> {
    wanted(&parameters(change), &sample_cx(Phase::Replicate))
}

fn wrong(change: Value) -> Error {
    wanted_of(change.clone()).expect_err(&change.to_string())
}

#[test]
fn the_payload_of_the_databases_framework_is_read_as_it_stands() {
    let w = wanted_of(json!({})).unwrap();
    assert_eq!(w.global, "dr-globaldb-cluster-mysql");
    assert_eq!(w.source.to_string(), payload()["SourceDBClusterIdentifier"]);
    assert_eq!(w.cluster.to_string(), payload()["DBClusterIdentifier"]);
    assert_eq!(
        w.instances[0].to_string(),
        "arn:aws:rds:us-east-1:123456789012:db:dbcluster-01-instance"
    );
    assert_eq!((w.encrypted, w.has_key, w.serverless), (Some(true), true, false));
}

#[test]
fn false_as_text_is_false() {
    let p = parameters(json!({
        "DeletionProtection": "False", "CopyTagsToSnapshot": "False", "StorageEncrypted": "False",
        "EnableIAMDatabaseAuthentication": "False", "AutoMinorVersionUpgrade": "False",
    }));
    let flags = [
        p.deletion_protection,
        p.copy_tags_to_snapshot,
        p.storage_encrypted,
        p.enable_iam_database_authentication,
        p.auto_minor_version_upgrade,
    ];
    assert_eq!(flags, [Some(Flag(false)); 5]);
}

#[test]
fn lists_and_serverless_capacities_are_read() {
    let w = wanted_of(json!({
        "DBInstanceIdentifier": ["a-1", "A-2"], "VpcSecurityGroupIds": "sg-1,sg-2",
        "DBInstanceClass": "db.serverless", "ServerlessV2MinCapacity": "0.5",
        "ServerlessV2MaxCapacity": 16,
    }))
    .unwrap();
    let ids: Vec<&str> = w.instances.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["a-1", "a-2"]);
    assert!(w.serverless && w.capacity);
}

#[test]
fn names_that_contradict_each_other_or_this_place_are_refused() {
    let refused = |change: Value| {
        let error = wrong(change);
        assert_eq!(error.error_type, ErrorType::Refused, "{error}");
        error.message
    };
    assert!(refused(json!({"SourceRegion": "eu-west-1"})).contains("SourceDBClusterIdentifier"));
    assert!(refused(json!({"ClusterRegion": "us-west-2"})).contains("another Region"));
    assert!(refused(json!({"DBClusterName": "other"})).contains("DBClusterName other"));
    let elsewhere = "arn:aws:rds:us-west-2:123456789012:cluster:dbcluster-01";
    assert!(refused(json!({"DBClusterIdentifier": elsewhere})).contains("Region us-west-2"));
    let foreign = "arn:aws:rds:us-west-2:999999999999:cluster:dbcluster-02";
    assert!(refused(json!({"SourceDBClusterIdentifier": foreign})).contains("account"));
    let china = "arn:aws-cn:rds:us-west-2:123456789012:cluster:dbcluster-02";
    assert!(refused(json!({"SourceDBClusterIdentifier": china})).contains("partition"));
    let key = "arn:aws:kms:us-west-2:123456789012:key/a-b";
    assert!(refused(json!({"KmsKeyId": key})).contains("us-west-2"));
}

#[test]
fn malformed_values_are_named_all_at_once() {
    let error = wrong(json!({
        "Port": 22, "BackupRetentionPeriod": "0", "MonitoringInterval": 7, "Engine": "mysql",
        "ServerlessV2MinCapacity": 1, "GlobalClusterIdentifier": "1x", "TimeoutMinutes": 0,
    }));
    assert_eq!(error.error_type, ErrorType::InvalidParameters);
    for name in [
        "Port",
        "BackupRetentionPeriod",
        "MonitoringInterval",
        "Engine",
        "ServerlessV2MaxCapacity",
        "GlobalClusterIdentifier",
        "TimeoutMinutes",
    ] {
        assert!(error.message.contains(name), "{name} in {}", error.message);
    }
}

#[test]
fn single_values_are_checked() {
    for change in [
        json!({"MonitoringRoleArn": null}),
        json!({"MonitoringInterval": 0}),
        json!({"BackupRetentionPeriod": 36}),
        json!({"StorageType": "gp3"}),
        json!({"DBClusterName": "a_b"}),
        json!({"DBInstanceIdentifier": "a,A"}),
        json!({"DBInstanceIdentifier": "a--b"}),
        json!({"KmsKeyId": "arn:aws:s3:::bucket"}),
        json!({"SourceRegion": "Oregon"}),
        json!({"ClusterRegion": "Virginia"}),
        json!({"SourceDBClusterIdentifier": "arn:aws:rds:us-west-2:123456789012:db:x"}),
    ] {
        assert_eq!(wrong(change.clone()).error_type, ErrorType::InvalidParameters, "{change}");
    }
    let unmonitored = json!({"MonitoringRoleArn": null, "MonitoringInterval": null});
    assert!(wanted_of(unmonitored).is_ok());
    assert!(wanted_of(json!({"KmsKeyId": "alias/orders", "StorageType": "aurora-iopt1"})).is_ok());
}
