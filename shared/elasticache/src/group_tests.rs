//! What is read of an answer.

use super::*;
use aws_sdk_elasticache::types::GlobalReplicationGroupInfo;

const ARN: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:orders";

fn asked() -> GroupArn {
    GroupArn::parse("P", ARN).unwrap()
}

#[test]
fn membership_and_role_are_read_in_any_case() {
    let info = GlobalReplicationGroupInfo::builder()
        .global_replication_group_id("LDGNF-orders")
        .global_replication_group_member_role("SECONDARY")
        .build();
    let shown = ReplicationGroup::builder()
        .replication_group_id("orders")
        .arn(ARN)
        .status("available")
        .global_replication_group_info(info)
        .member_clusters("orders-001")
        .replication_group_create_time(DateTime::from_secs(1_700_000_000))
        .build();
    let group = read(&asked(), &shown).unwrap();
    assert_eq!(group.role(), Some(Role::Secondary));
    assert_eq!(group.global.as_ref().unwrap().datastore, "ldgnf-orders");
    assert_eq!(group.created_at, Some(1_700_000_000));
    assert_eq!(group.health(), Health::Available);
}

#[test]
fn an_empty_membership_is_none() {
    let shown = ReplicationGroup::builder()
        .global_replication_group_info(GlobalReplicationGroupInfo::builder().build())
        .build();
    let group = read(&asked(), &shown).unwrap();
    assert_eq!((group.global, group.arn), (None, asked()));
    assert_eq!(group.status, "unknown");
}

#[test]
fn the_samples_tell_their_role() {
    let group = Group::sample(ARN).unwrap();
    assert_eq!(group.role(), None);
    assert_eq!(group.member_of("ldgnf-orders", Role::Primary).role(), Some(Role::Primary));
}

#[test]
fn an_answer_with_an_arn_that_is_none_is_not_guessed_at() {
    let error = read(&asked(), &ReplicationGroup::builder().arn("orders").build()).unwrap_err();
    assert_eq!(error.error_type, shared::ErrorType::Internal);
    assert_eq!(error.message, "ElastiCache shows an ARN like orders");
}
