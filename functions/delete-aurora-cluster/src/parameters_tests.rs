//! What is refused without a call.

use super::*;
use serde_json::{Value, json};
use shared::progress::sample_cx;
use shared::{ErrorType, Phase};

const NEW: &str = "arn:aws:rds:us-west-2:123456789012:cluster:orders-dr";

fn wanted_of(change: Value, primary: Option<&str>) -> Result<Wanted> {
    let mut all = json!({
        "DBClusterIdentifier": "orders", "ClusterRegion": "us-east-1", "ExpectedWriterArn": NEW,
    });
    for (name, value) in change.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut cx = sample_cx(Phase::Cleanup);
    cx.context.primary_region = primary.map(str::to_owned);
    wanted(&serde_json::from_value(all).unwrap(), &cx)
}

fn wrong(change: Value) -> ErrorType {
    wanted_of(change, Some("us-west-2")).unwrap_err().error_type
}

#[test]
fn the_careful_values_are_the_defaults() {
    let wanted = wanted_of(json!({}), Some("us-west-2")).unwrap();
    assert_eq!(wanted.stale.to_string(), "arn:aws:rds:us-east-1:123456789012:cluster:orders");
    assert!(wanted.final_snapshot && wanted.copy_point_of_failure);
    assert!(!wanted.may_lift_protection && !wanted.delete_global && !wanted.may_delete_standby);
    assert!(wanted.allowed_replicas.is_empty() && wanted.snapshot_name.is_none());
}

#[test]
fn values_are_read_as_people_write_them() {
    let given = json!({
        "FinalSnapshot": "False", "CopyPointOfFailureSnapshot": "No", "AllowReplicas": "a, b",
        "DisableDeletionProtection": "Yes", "AllowDeleteHealthySecondary": "True",
        "DeleteGlobalCluster": "1", "GlobalClusterIdentifier": "Orders-Global",
    });
    let wanted = wanted_of(given, None).unwrap();
    assert!(!wanted.final_snapshot && !wanted.copy_point_of_failure);
    assert!(wanted.may_lift_protection && wanted.delete_global && wanted.may_delete_standby);
    assert_eq!(wanted.allowed_replicas, ["a", "b"]);
    assert_eq!(wanted.global.as_deref(), Some("orders-global"));
}

#[test]
fn text_false_is_no_consent() {
    let given = json!({
        "DisableDeletionProtection": "False", "AllowDeleteHealthySecondary": "False",
        "DeleteGlobalCluster": "False",
    });
    let wanted = wanted_of(given, None).unwrap();
    assert!(!wanted.may_lift_protection && !wanted.may_delete_standby && !wanted.delete_global);
}

#[test]
fn the_writer_is_in_this_account_and_in_another_region() {
    let writer = |arn: &str| wrong(json!({"ExpectedWriterArn": arn}));
    let east = "arn:aws:rds:us-east-1:123456789012:cluster:orders-dr";
    assert_eq!(writer(east), ErrorType::Refused);
    assert_eq!(writer(&NEW.replace("123456789012", "999999999999")), ErrorType::Refused);
    assert_eq!(writer(&NEW.replace("arn:aws:", "arn:aws-cn:")), ErrorType::Refused);
    assert_eq!(writer(&NEW.replace(":cluster:", ":db:")), ErrorType::InvalidParameters);
    assert_eq!(writer("orders-dr"), ErrorType::InvalidParameters);
}

#[test]
fn nothing_is_deleted_in_the_region_that_serves() {
    let error = wanted_of(json!({}), Some("us-east-1")).unwrap_err();
    assert_eq!(error.error_type, ErrorType::Refused);
    assert!(error.message.contains("primary_region"));
    assert_eq!(wrong(json!({"DBClusterIdentifier": NEW})), ErrorType::Refused);
    assert_eq!(wrong(json!({"ClusterRegion": "Virginia"})), ErrorType::InvalidParameters);
}

#[test]
fn a_snapshots_name_follows_the_rules_of_cluster_snapshots() {
    let name = |n: &str| json!({"FinalSnapshotIdentifier": n});
    let wanted = wanted_of(name("Orders-Final"), None).unwrap();
    assert_eq!(wanted.snapshot_name.as_deref(), Some("orders-final"));
    for bad in ["1a", "a--b", "a-", "", &"a".repeat(64)] {
        assert_eq!(wrong(name(bad)), ErrorType::InvalidParameters, "{bad}");
    }
    let both = json!({"FinalSnapshotIdentifier": "a", "FinalSnapshot": false});
    assert_eq!(wrong(both), ErrorType::InvalidParameters);
}

#[test]
fn the_global_cluster_to_delete_must_be_named() {
    assert_eq!(wrong(json!({"DeleteGlobalCluster": "True"})), ErrorType::InvalidParameters);
    assert_eq!(wrong(json!({"GlobalClusterIdentifier": "a b"})), ErrorType::InvalidParameters);
    assert_eq!(wrong(json!({"TimeoutMinutes": "0"})), ErrorType::InvalidParameters);
}

#[test]
fn unknown_parameters_and_a_missing_writer_are_errors() {
    let read = |v: Value| serde_json::from_value::<Parameters>(v);
    assert!(read(json!({"DBClusterIdentifier": "a", "ClusterRegion": "us-east-1"})).is_err());
    let typo = json!({
        "DBClusterIdentifier": "a", "ClusterRegion": "us-east-1", "ExpectedWriterArn": NEW,
        "FinalSnapshots": true,
    });
    assert!(read(typo).is_err());
}
