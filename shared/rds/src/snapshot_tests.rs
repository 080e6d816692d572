//! Names of snapshots, and how descriptions are read.

use super::*;
use crate::arn::identifier;

#[test]
fn cluster_snapshots_are_read_with_their_origin() {
    let shown = DbClusterSnapshot::builder()
        .db_cluster_snapshot_identifier("copy")
        .db_cluster_identifier("orders")
        .source_db_cluster_snapshot_arn("arn:aws:rds:us-east-1:1:cluster-snapshot:rds:a")
        .status("copying")
        .percent_progress(40)
        .snapshot_create_time(DateTime::from_secs(1_700_000_000))
        .build();
    let read = read_cluster(&shown);
    assert!(read.source.as_deref().is_some_and(|s| s.ends_with("rds:a")));
    assert_eq!(read.progress(), "snapshot copy is copying, 40 %");
    assert_eq!(read.label(), "copy of 2023-11-14T22:13:20Z");
    assert!(!read.encrypted, "what is not said is not so");
}

#[test]
fn instance_snapshots_keep_the_time_of_the_first() {
    let shown = DbSnapshot::builder()
        .db_snapshot_identifier("copy")
        .source_db_snapshot_identifier("")
        .original_snapshot_create_time(DateTime::from_secs(7))
        .encrypted(true)
        .build();
    let read = read_instance(&shown);
    assert_eq!((read.source.clone(), read.first_taken_at), (None, Some(7)));
    assert!(read.encrypted);
    assert_eq!(read.label(), "copy", "it has not begun");
}

#[test]
fn states_that_never_become_available() {
    let lost = |status: &str| Snapshot { status: status.into(), ..Snapshot::sample("s") }.is_lost();
    assert!(lost("failed") && lost("deleting") && lost("incompatible-restore"));
    for status in ["creating", "copying", "available", "pending", "new-word"] {
        assert!(!lost(status), "{status}");
    }
}

#[test]
fn names_are_legal_and_keep_what_tells_them_apart() {
    let long = "a-very-long-name-of-a-cluster-that-fills-all-sixty-three-places";
    let cases = [
        ("orders", "cluster-ABC123", "dr-final-orders-cluster-abc123"),
        ("orders", "", "dr-final-orders"),
        ("a--b:c", "1", "dr-final-a-b-c-1"),
    ];
    for (middle, end, wanted) in cases {
        assert_eq!(snapshot_name("dr-final", middle, end, 63), wanted);
    }
    let name = snapshot_name("dr-final", long, "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ-2", 63);
    assert!(name.ends_with("cluster-abcdefghijklmnopqrstuvwxyz-2"), "{name}");
    assert_eq!(identifier("P", &name, 63).unwrap(), name);
}

#[test]
fn a_copy_of_a_point_of_failure_snapshot_keeps_its_time() {
    let copy = |cluster: &str| {
        point_of_failure_copy(&format!("{POINT_OF_FAILURE}{cluster}-2026-01-02-03-04-05"))
    };
    assert_eq!(copy("orders"), "dr-failure-orders-2026-01-02-03-04-05");
    let long = copy("a-very-long-name-of-a-cluster-that-fills-all-sixty-three-places");
    assert!(long.ends_with("-2026-01-02-03-04-05"), "{long}");
    assert_eq!(identifier("P", &long, 63).unwrap(), long);
}
