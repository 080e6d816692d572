"""Read replicas: creation, promotion, deletion of the source, and a source's Region in the dark."""

import pytest

from localaws import rds_replication
from localaws.tests.rds_world import EAST, aws, server  # noqa: F401 (fixtures)
from localaws.tests.served import refusal


def create(aws, **arguments):
    return refusal(aws.west.create_db_instance_read_replica, DBInstanceIdentifier="copy",
                   **arguments)


def test_cross_region_replica(aws):
    arn = aws.primary(Tags=[{"Key": "a", "Value": "b"}], DeletionProtection=True, MultiAZ=True,
                      BackupRetentionPeriod=7)
    aws.west.create_db_instance_read_replica(DBInstanceIdentifier="copy",
                                             SourceDBInstanceIdentifier=arn)
    shown = aws.show(aws.west, "copy")
    assert shown["DBInstanceStatus"] == "creating" and not shown.get("StatusInfos")
    assert aws.words(aws.west, "copy", 110) == ["creating", "backing-up", "available"]
    shown = aws.show(aws.west, "copy")
    assert shown["DBInstanceArn"] == "arn:aws:rds:us-west-2:123456789012:db:copy"
    assert shown["ReadReplicaSourceDBInstanceIdentifier"] == arn
    assert shown["StatusInfos"] == [
        {"StatusType": "read replication", "Normal": True, "Status": "replicating"}]
    assert (shown["BackupRetentionPeriod"], shown["MultiAZ"], shown["DeletionProtection"],
            shown["TagList"]) == (0, False, False, [])
    assert aws.show(aws.east, "main")["ReadReplicaDBInstanceIdentifiers"] == \
        [shown["DBInstanceArn"]]


def test_same_region_replica_is_named_by_id(aws):
    aws.primary()
    aws.replica("main", region=aws.east)
    assert aws.show(aws.east, "copy")["ReadReplicaSourceDBInstanceIdentifier"] == "main"
    assert aws.show(aws.east, "main")["ReadReplicaDBInstanceIdentifiers"] == ["copy"]


def test_another_regions_source_needs_its_arn(aws):
    aws.primary()
    assert create(aws, SourceDBInstanceIdentifier="main")[:2] == ("DBInstanceNotFound", 404)
    missing = "arn:aws:rds:us-east-1:123456789012:db:nobody"
    assert create(aws, SourceDBInstanceIdentifier=missing) == (
        "DBInstanceNotFound", 404, f"The source instance could not be found: {missing}")


def test_source_needs_backups(aws):
    arn = aws.primary(BackupRetentionPeriod=0)
    code, status, message = create(aws, SourceDBInstanceIdentifier=arn)
    assert (code, status) == ("InvalidDBInstanceState", 400)
    assert message.startswith("Automated backups are not enabled for this database instance.")


def test_source_must_be_available(aws):
    arn = aws.primary()
    aws.east.reboot_db_instance(DBInstanceIdentifier="main")
    assert create(aws, SourceDBInstanceIdentifier=arn)[0] == "InvalidDBInstanceState"


def test_encrypted_source_needs_a_key_of_the_destination(aws):
    arn = aws.primary(StorageEncrypted=True)
    assert create(aws, SourceDBInstanceIdentifier=arn)[0::2] == (
        "InvalidParameterCombination",
        "Cannot create a cross region unencrypted read replica from encrypted source.")
    eastern = aws.world.client("kms", "us-east-1").create_key()["KeyMetadata"]["Arn"]
    assert create(aws, SourceDBInstanceIdentifier=arn, KmsKeyId=eastern)[0] == \
        "KMSKeyNotAccessibleFault"
    western = aws.world.client("kms", "us-west-2").create_key()["KeyMetadata"]
    aws.replica(arn, KmsKeyId=western["KeyId"])
    assert aws.show(aws.west, "copy")["KmsKeyId"] == western["Arn"]


def test_groups_must_exist_in_the_destination(aws):
    arn = aws.primary()
    assert create(aws, SourceDBInstanceIdentifier=arn, DBSubnetGroupName="missing")[:2] == \
        ("DBSubnetGroupNotFoundFault", 404)
    assert create(aws, SourceDBInstanceIdentifier=arn, VpcSecurityGroupIds=["sg-1"])[0] == \
        "InvalidParameterValue"


def test_parameter_group_is_the_default_in_another_region(aws):
    aws.east.create_db_parameter_group(DBParameterGroupName="own", Description="own",
                                       DBParameterGroupFamily="postgres16")
    arn = aws.primary(DBParameterGroupName="own")
    aws.replica(arn)
    aws.replica("main", "near", region=aws.east)
    groups = [aws.show(client, name)["DBParameterGroups"][0]["DBParameterGroupName"]
              for client, name in ((aws.west, "copy"), (aws.east, "near"))]
    assert groups == ["default.postgres16", "own"]


def test_promotion_shows_the_old_state_first(aws):
    aws.replica(aws.primary())
    answer = aws.west.promote_read_replica(DBInstanceIdentifier="copy")["DBInstance"]
    assert answer["ReadReplicaSourceDBInstanceIdentifier"]
    seen = aws.words(aws.west, "copy", 110, 0.5, lambda shown: (
        shown["DBInstanceStatus"], "ReadReplicaSourceDBInstanceIdentifier" in shown,
        shown["BackupRetentionPeriod"]))
    assert seen == [("available", True, 0), ("modifying", True, 0), ("rebooting", False, 0),
                    ("backing-up", False, 1), ("available", False, 1)]
    assert aws.show(aws.west, "copy")["PendingModifiedValues"] == {}


def test_promotion_without_backups(aws):
    aws.replica(aws.primary())
    aws.west.promote_read_replica(DBInstanceIdentifier="copy", BackupRetentionPeriod=0)
    assert aws.words(aws.west, "copy", 110) == ["available", "modifying", "rebooting", "available"]


def test_second_promotion_is_refused_before_the_first_is_visible(aws):
    aws.replica(aws.primary())
    aws.west.promote_read_replica(DBInstanceIdentifier="copy")
    assert aws.status(aws.west, "copy") == "available"
    assert refusal(aws.west.promote_read_replica, DBInstanceIdentifier="copy")[:2] == \
        ("InvalidDBInstanceState", 400)
    aws.clock.forward(110)
    assert refusal(aws.west.promote_read_replica, DBInstanceIdentifier="copy")[2] == \
        "DB Instance is not a read replica."


def test_promotion_is_refused_while_backing_up(aws):
    aws.replica(aws.primary())
    aws.west.create_db_snapshot(DBInstanceIdentifier="copy", DBSnapshotIdentifier="shot")
    aws.clock.forward(3)
    assert aws.status(aws.west, "copy") == "backing-up"
    assert refusal(aws.west.promote_read_replica, DBInstanceIdentifier="copy")[0] == \
        "InvalidDBInstanceState"


def test_promotion_of_nothing(aws):
    assert refusal(aws.west.promote_read_replica, DBInstanceIdentifier="copy")[:2] == \
        ("DBInstanceNotFound", 404)


def test_old_source_lists_the_promoted_replica_for_a_while(aws):
    aws.replica(aws.primary())
    aws.west.promote_read_replica(DBInstanceIdentifier="copy")
    aws.clock.forward(40)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in aws.show(aws.west, "copy")
    assert len(aws.show(aws.east, "main")["ReadReplicaDBInstanceIdentifiers"]) == 1
    aws.clock.forward(10)
    assert aws.show(aws.east, "main")["ReadReplicaDBInstanceIdentifiers"] == []


def test_old_source_in_the_dark_learns_of_the_promotion_later(aws):
    aws.replica(aws.primary())
    rds_replication.set_dark(EAST, True)
    aws.west.promote_read_replica(DBInstanceIdentifier="copy")
    aws.clock.forward(1000)
    assert aws.status(aws.west, "copy") == "available"
    rds_replication.set_dark(EAST, False)
    assert len(aws.show(aws.east, "main")["ReadReplicaDBInstanceIdentifiers"]) == 1
    for _ in range(3):
        aws.clock.forward(10)
        left = aws.show(aws.east, "main")["ReadReplicaDBInstanceIdentifiers"]
    assert left == []


def test_final_snapshot_of_a_replica_is_refused(aws):
    aws.replica(aws.primary())
    assert refusal(aws.west.delete_db_instance, DBInstanceIdentifier="copy",
                   FinalDBSnapshotIdentifier="last")[0::2] == (
        "InvalidParameterCombination",
        "FinalDBSnapshotIdentifier can not be specified when deleting a replica instance")
    aws.west.delete_db_instance(DBInstanceIdentifier="copy", SkipFinalSnapshot=True)
    aws.clock.forward(60)
    assert aws.show(aws.east, "main")["ReadReplicaDBInstanceIdentifiers"] == []


def test_deleting_the_source(aws):
    arn = aws.primary()
    aws.replica(arn)
    aws.replica("main", "near", region=aws.east)
    aws.east.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)
    aws.clock.forward(200)
    far, near = aws.show(aws.west, "copy"), aws.show(aws.east, "near")
    assert far["ReadReplicaSourceDBInstanceIdentifier"] == arn
    assert far["StatusInfos"][0]["Status"] == "terminated"
    assert far["StatusInfos"][0]["Normal"] is False
    assert "ReadReplicaSourceDBInstanceIdentifier" not in near
    assert near["DBInstanceStatus"] == "available"


@pytest.mark.parametrize("operation", ["stop_db_instance"])
def test_replicas_and_sources_cannot_be_stopped(aws, operation):
    aws.replica(aws.primary())
    for client, name in ((aws.east, "main"), (aws.west, "copy")):
        assert refusal(getattr(client, operation), DBInstanceIdentifier=name)[0] == \
            "InvalidDBInstanceState"


def test_dark_source_region(aws):
    arn = aws.primary()
    aws.replica(arn)
    rds_replication.set_dark(EAST, True)
    aws.clock.forward(5)
    assert aws.show(aws.west, "copy")["StatusInfos"][0]["Status"] == "replicating"
    aws.clock.forward(6)
    shown = aws.show(aws.west, "copy")
    assert shown["DBInstanceStatus"] == "available"
    assert shown["StatusInfos"][0]["Status"] == "error"
    assert refusal(aws.west.create_db_instance_read_replica, DBInstanceIdentifier="more",
                   SourceDBInstanceIdentifier=arn)[:2] == ("InternalFailure", 500)
