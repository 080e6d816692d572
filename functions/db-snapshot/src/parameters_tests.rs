//! What is refused without a call, and names.

use super::*;
use serde_json::{Value, json};
use shared::progress::sample_cx;
use shared::{ErrorType, Phase};
use shared_rds::Arn;

fn wanted_of(all: &Value) -> Result<Wanted> {
    let mut cx = sample_cx(Phase::Cleanup);
    cx.context.started_at = "2026-01-31T03:04:05Z".into();
    wanted(&serde_json::from_value(all.clone()).unwrap(), &cx, "us-west-2")
}

fn right(all: Value) -> Wanted {
    wanted_of(&all).unwrap()
}

fn wrong(all: Value) -> ErrorType {
    wanted_of(&all).unwrap_err().error_type
}

#[test]
fn a_snapshot_of_the_executing_region_is_taken_by_default() {
    let wanted = right(json!({"Kind": "CLUSTER", "SourceIdentifier": "orders"}));
    let arn = "arn:aws:rds:us-west-2:123456789012:cluster:orders";
    assert_eq!(wanted.source, Source::Database(Arn::parse_cluster("P", arn).unwrap()));
    assert_eq!((wanted.from.as_str(), wanted.to.as_str()), ("us-west-2", "us-west-2"));
    assert!(wanted.name.unwrap().starts_with("dr-orders-2026-01-31-"));
    assert!(!wanted.copy_tags && wanted.kms_key.is_none());
    let wanted =
        right(json!({"Kind": "instance", "Action": "create", "SourceIdentifier": "orders"}));
    assert_eq!(wanted.kind, Kind::Db);
}

#[test]
fn the_region_of_an_arn_counts() {
    let arn = "arn:aws:rds:us-east-1:123456789012:cluster:orders";
    let wanted = right(json!({"Kind": "CLUSTER", "SourceIdentifier": arn}));
    assert_eq!((wanted.from.as_str(), wanted.to.as_str()), ("us-east-1", "us-east-1"));
    let elsewhere =
        json!({"Kind": "CLUSTER", "SourceIdentifier": arn, "SourceRegion": "us-west-2"});
    assert_eq!(wrong(elsewhere), ErrorType::Refused);
    let account = arn.replace("123456789012", "999999999999");
    assert_eq!(wrong(json!({"Kind": "CLUSTER", "SourceIdentifier": account})), ErrorType::Refused);
    let instance = arn.replace("cluster", "db");
    let kind = json!({"Kind": "CLUSTER", "SourceIdentifier": instance});
    assert_eq!(wrong(kind), ErrorType::InvalidParameters);
}

#[test]
fn a_restart_finds_the_name_again_and_another_exercise_does_not() {
    let name = |root: &str, given: Option<&str>| {
        let mut cx = sample_cx(Phase::Cleanup);
        cx.context.started_at = "2026-01-31T03:04:05Z".into();
        cx.context.root = root.into();
        let all =
            json!({"Kind": "INSTANCE", "SourceIdentifier": "orders", "SnapshotIdentifier": given});
        let parameters = serde_json::from_value(all).unwrap();
        wanted(&parameters, &cx, "us-west-2").unwrap().name.unwrap()
    };
    assert_eq!(name("a", None), name("a", None));
    assert_ne!(name("a", None), name("b", None));
    assert_eq!(name("a", Some("Before-{date}-{time}")), "before-2026-01-31-030405");
    assert_eq!(name("a", Some("fixed")), "fixed");
}

#[test]
fn names_follow_the_rules_of_their_kind() {
    let name = |kind: &str, n: &str| {
        wanted_of(&json!({"Kind": kind, "SourceIdentifier": "orders", "SnapshotIdentifier": n}))
    };
    let long = format!("a{}", "b".repeat(70));
    assert!(name("INSTANCE", &long).is_ok() && name("CLUSTER", &long).is_err());
    for bad in ["1a", "a--b", "a-", "", "rds:a", "a-{day}"] {
        assert!(name("INSTANCE", bad).is_err(), "{bad}");
    }
    let wanted = right(json!({"Kind": "CLUSTER", "SourceIdentifier": "a".repeat(63)}));
    let name = wanted.name.unwrap();
    assert_eq!(identifier("P", &name, 63).unwrap(), name);
    assert!(name.contains("-2026-01-31-"));
}

#[test]
fn manual_and_automated_snapshots_are_copied_by_name_or_arn() {
    let copy = |source: &str| {
        right(json!({
            "Kind": "CLUSTER", "Action": "COPY", "SourceIdentifier": source,
            "SourceRegion": "us-east-1", "TargetRegion": "us-west-2",
        }))
    };
    let prefix = "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:";
    let cases = [
        ("orders-{date}", "orders-2026-01-31", "dr-copy-orders-2026-01-31"),
        ("rds:orders-1", "rds:orders-1", "dr-copy-orders-1"),
        (&format!("{prefix}rds:Orders-1"), "rds:orders-1", "dr-copy-orders-1"),
    ];
    for (given, name, copied) in cases {
        let wanted = copy(given);
        let source = Source::Snapshot { name: name.into(), arn: format!("{prefix}{name}") };
        assert_eq!((wanted.source, wanted.name.as_deref()), (source, Some(copied)));
        assert_eq!((wanted.from.as_str(), wanted.to.as_str()), ("us-east-1", "us-west-2"));
    }
}

#[test]
fn snapshots_of_other_places_or_kinds_are_refused() {
    let copy = |source: &str| {
        wrong(json!({
            "Kind": "CLUSTER", "Action": "COPY", "SourceIdentifier": source,
            "SnapshotIdentifier": "copy", "SourceRegion": "us-east-1",
        }))
    };
    for arn in [
        "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:a",
        "arn:aws:rds:us-east-1:999999999999:cluster-snapshot:a",
        "arn:aws:rds:us-east-1:123456789012:snapshot:a",
        "arn:aws:rds:us-east-1:123456789012:cluster:a",
    ] {
        assert_eq!(copy(arn), ErrorType::Refused, "{arn}");
    }
    assert_eq!(copy("a b"), ErrorType::InvalidParameters);
    assert_eq!(copy("copy"), ErrorType::InvalidParameters, "onto itself");
}

#[test]
fn keys_are_of_the_copys_region() {
    let copy = |key: &str| {
        wanted_of(&json!({
            "Kind": "INSTANCE", "Action": "COPY", "SourceIdentifier": "a", "KmsKeyId": key,
            "SourceRegion": "us-east-1", "TargetRegion": "us-west-2", "CopyTags": "True",
        }))
    };
    for right in ["alias/dr", "1234", "arn:aws:kms:us-west-2:999999999999:key/1"] {
        assert_eq!(copy(right).unwrap().kms_key.as_deref(), Some(right));
    }
    for bad in ["arn:aws:kms:us-east-1:123456789012:key/1", "arn:aws:iam::123456789012:role/r"] {
        assert_eq!(copy(bad).unwrap_err().error_type, ErrorType::Refused, "{bad}");
    }
    assert!(copy("alias/dr").unwrap().copy_tags);
}

#[test]
fn what_does_not_go_together_is_told() {
    let create = |name: &str, value: &str| {
        let mut all = json!({"Kind": "CLUSTER", "SourceIdentifier": "orders"});
        all[name] = value.into();
        wrong(all)
    };
    for (name, value) in [
        ("TargetRegion", "us-east-1"),
        ("TargetRegion", "Virginia"),
        ("KmsKeyId", "alias/dr"),
        ("CopyTags", "False"),
        ("Kind", "TABLE"),
        ("Action", "MOVE"),
        ("SourceRegion", "Virginia"),
        ("TimeoutMinutes", "0"),
    ] {
        assert_eq!(create(name, value), ErrorType::InvalidParameters, "{name}");
    }
    let instance = json!({"Kind": "INSTANCE", "Action": "COPY_POINT_OF_FAILURE", "SourceIdentifier": "orders"});
    assert_eq!(wrong(instance), ErrorType::InvalidParameters);
    let here = right(json!({
        "Kind": "CLUSTER", "SourceIdentifier": "orders", "TargetRegion": "us-west-2",
    }));
    assert_eq!(here.to, here.from, "the Region of the database may be named");
}

#[test]
fn the_name_of_a_point_of_failure_copy_follows_from_its_source() {
    let all = json!({
        "Kind": "CLUSTER", "Action": "COPY_POINT_OF_FAILURE", "SourceIdentifier": "orders",
        "SourceRegion": "us-east-1",
    });
    let wanted = right(all);
    assert!(matches!(wanted.source, Source::PointOfFailure(_)) && wanted.name.is_none());
    assert_eq!((wanted.from.as_str(), wanted.to.as_str()), ("us-east-1", "us-east-1"));
}

#[test]
fn a_run_without_a_beginning_is_a_defect_and_names_it() {
    let mut cx = sample_cx(Phase::Cleanup);
    cx.context.started_at = "yesterday".into();
    let all = json!({"Kind": "CLUSTER", "SourceIdentifier": "orders"});
    let error = wanted(&serde_json::from_value(all).unwrap(), &cx, "us-west-2").unwrap_err();
    assert_eq!(error.error_type, ErrorType::Internal);
    assert_eq!(error.message, "startedAt of the run is \"yesterday\", not a time");
}
