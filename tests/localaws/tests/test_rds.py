"""DB instances: creation, state over time, modification, deletion, snapshots, tags, paging."""

import pytest

from localaws import rds
from localaws.tests.rds_world import EAST, aws, server  # noqa: F401 (fixtures)
from localaws.tests.served import refusal


def test_creation_takes_its_time(aws):
    aws.east.create_db_instance(
        DBInstanceIdentifier="Main", Engine="postgres", DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20, MasterUsername="owner", MasterUserPassword="correct-horse")
    shown = aws.show(aws.east, "main")
    assert shown["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in shown and "InstanceCreateTime" not in shown
    assert aws.words(aws.east, "main", 120) == ["creating", "backing-up", "available"]
    shown = aws.show(aws.east, "main")
    assert shown["Endpoint"]["Port"] == 5432 and shown["LatestRestorableTime"]
    assert shown["OptionGroupMemberships"][0]["OptionGroupName"] == "default:postgres-16"


def test_instances_have_resource_ids_of_their_own(aws):
    aws.primary("one")
    aws.primary("two")
    found = aws.east.describe_db_instances()["DBInstances"]
    assert len({instance["DbiResourceId"] for instance in found}) == 2


def test_no_backups_no_restorable_time(aws):
    aws.primary(BackupRetentionPeriod=0)
    assert "LatestRestorableTime" not in aws.show(aws.east, "main")


@pytest.mark.parametrize("details, code", [
    ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
    ({"VpcSecurityGroupIds": ["sg-00000000"]}, "InvalidParameterValue"),
    ({"DBSubnetGroupName": "missing"}, "DBSubnetGroupNotFoundFault"),
    ({"DBParameterGroupName": "missing"}, "DBParameterGroupNotFound"),
    ({"StorageEncrypted": True, "KmsKeyId": "missing"}, "KMSKeyNotAccessibleFault"),
    ({"KmsKeyId": "alias/aws/rds"}, "InvalidParameterCombination"),
    ({"MasterUsername": ""}, "InvalidParameterValue"),
])
def test_creation_is_refused(aws, details, code):
    arguments = {"DBInstanceIdentifier": "main", "Engine": "postgres", "AllocatedStorage": 20,
                 "DBInstanceClass": "db.t4g.micro", "MasterUsername": "owner",
                 "MasterUserPassword": "correct-horse"} | details
    assert refusal(aws.east.create_db_instance, **arguments)[0] == code


def test_a_name_is_taken_while_it_is_created(aws):
    aws.primary()
    assert refusal(aws.primary)[:2] == ("DBInstanceAlreadyExists", 400)


def test_missing_instance_is_404(aws):
    got = refusal(aws.east.describe_db_instances, DBInstanceIdentifier="nobody")
    assert got == ("DBInstanceNotFound", 404, "DBInstance nobody not found.")


def test_description_by_arn_stays_in_its_region(aws):
    arn = aws.primary()
    assert aws.show(aws.east, arn)["DBInstanceIdentifier"] == "main"
    assert refusal(aws.west.describe_db_instances, DBInstanceIdentifier=arn)[0] == \
        "DBInstanceNotFound"


def test_pages_and_page_sizes(aws):
    for number in range(21):
        aws.primary(f"db{number}")
    first = aws.east.describe_db_instances(MaxRecords=20)
    rest = aws.east.describe_db_instances(MaxRecords=20, Marker=first["Marker"])
    assert len(first["DBInstances"]) == 20 and len(rest["DBInstances"]) == 1
    assert refusal(aws.east.describe_db_instances, MaxRecords=5)[0] == "InvalidParameterValue"
    snapshots = aws.east.describe_db_snapshots(MaxRecords=20)
    assert len(snapshots["DBSnapshots"]) == 20 and snapshots["Marker"]


def test_deletion_protection_and_snapshot_choice(aws):
    aws.primary(DeletionProtection=True)
    code, status, message = refusal(aws.east.delete_db_instance, DBInstanceIdentifier="main",
                                    SkipFinalSnapshot=True)
    assert (code, status) == ("InvalidParameterCombination", 400)
    assert message == ("Cannot delete protected DB Instance, please disable deletion protection "
                       "and try again.")
    assert refusal(aws.east.delete_db_instance, DBInstanceIdentifier="main")[0] == \
        "InvalidParameterCombination"
    assert refusal(aws.east.delete_db_instance, DBInstanceIdentifier="main", SkipFinalSnapshot=True,
                   FinalDBSnapshotIdentifier="last")[0] == "InvalidParameterCombination"


def test_protection_goes_only_when_that_is_visible(aws):
    aws.primary(DeletionProtection=True)
    answer = aws.east.modify_db_instance(DBInstanceIdentifier="main", DeletionProtection=False)
    assert answer["DBInstance"]["DeletionProtection"] is False
    assert aws.show(aws.east, "main")["DeletionProtection"] is True
    aws.clock.forward(2.5)
    assert aws.show(aws.east, "main")["DeletionProtection"] is False
    assert aws.status(aws.east, "main") == "available"


def test_deletion_with_final_snapshot(aws):
    aws.primary()
    answer = aws.east.delete_db_instance(DBInstanceIdentifier="main",
                                         FinalDBSnapshotIdentifier="main-last")
    assert answer["DBInstance"]["DBInstanceStatus"] == "deleting"
    assert aws.status(aws.east, "main") == "available"  # not yet visible
    again = refusal(aws.east.delete_db_instance, DBInstanceIdentifier="main",
                    SkipFinalSnapshot=True)
    assert again[:2] == ("InvalidDBInstanceState", 400)
    aws.clock.forward(3)
    assert aws.status(aws.east, "main") == "deleting"
    last = aws.east.describe_db_snapshots(DBSnapshotIdentifier="main-last")["DBSnapshots"][0]
    assert last["Status"] == "creating"
    aws.clock.forward(60)
    assert refusal(aws.east.describe_db_instances, DBInstanceIdentifier="main")[0] == \
        "DBInstanceNotFound"
    left = aws.east.describe_db_snapshots()["DBSnapshots"]
    assert [(one["DBSnapshotIdentifier"], one["Status"]) for one in left] == \
        [("main-last", "available")]


def test_retained_backups_stay(aws):
    aws.primary()
    aws.east.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True,
                                DeleteAutomatedBackups=False)
    aws.clock.forward(60)
    left = aws.east.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert len(left) == 1


def test_taken_snapshot_names(aws):
    aws.primary()
    aws.east.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="kept")
    aws.clock.forward(70)
    got = refusal(aws.east.delete_db_instance, DBInstanceIdentifier="main",
                  FinalDBSnapshotIdentifier="kept")
    assert got[:2] == ("DBSnapshotAlreadyExists", 400)


@pytest.mark.parametrize("status", ["failed", "incompatible-restore", "incompatible-network"])
def test_broken_instances_go_only_without_snapshot(aws, status):
    aws.primary()
    rds.force_status(EAST, "main", status)
    assert refusal(aws.east.delete_db_instance, DBInstanceIdentifier="main",
                   FinalDBSnapshotIdentifier="last")[0] == "InvalidDBInstanceState"
    aws.east.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)


@pytest.mark.parametrize("status", ["creating", "modifying", "backing-up", "rebooting"])
def test_busy_instances_are_not_deleted(aws, status):
    aws.primary()
    rds.force_status(EAST, "main", status)
    assert refusal(aws.east.delete_db_instance, DBInstanceIdentifier="main",
                   SkipFinalSnapshot=True)[:2] == ("InvalidDBInstanceState", 400)


def test_forced_status_stays_and_can_be_lifted(aws):
    aws.primary()
    aws.east.reboot_db_instance(DBInstanceIdentifier="main")
    rds.force_status(EAST, "main", "storage-full")
    aws.clock.forward(1000)
    assert aws.status(aws.east, "main") == "storage-full"
    assert rds.control({"region": EAST, "id": "main", "status": "available"})["status"] == \
        "available"


def test_pending_changes_wait_for_apply_immediately(aws):
    aws.primary()
    aws.east.modify_db_instance(DBInstanceIdentifier="main", DBInstanceClass="db.r6g.large")
    aws.clock.forward(1000)
    shown = aws.show(aws.east, "main")
    assert shown["DBInstanceClass"] == "db.t4g.micro"
    assert shown["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.large"}
    aws.east.modify_db_instance(DBInstanceIdentifier="main", MultiAZ=True, DBPortNumber=6000,
                                ApplyImmediately=True)
    assert aws.words(aws.east, "main", 40) == ["available", "modifying", "available"]
    shown = aws.show(aws.east, "main")
    assert shown["DBInstanceClass"] == "db.r6g.large" and shown["MultiAZ"]
    assert shown["Endpoint"]["Port"] == 6000 and shown["PendingModifiedValues"] == {}


def test_one_modification_at_a_time(aws):
    aws.primary()
    aws.east.modify_db_instance(DBInstanceIdentifier="main", MultiAZ=True, ApplyImmediately=True)
    assert refusal(aws.east.modify_db_instance, DBInstanceIdentifier="main", MultiAZ=False,
                   ApplyImmediately=True)[0] == "InvalidDBInstanceState"


def test_backups_of_a_source_stay_on(aws):
    arn = aws.primary()
    aws.replica(arn)
    assert refusal(aws.east.modify_db_instance, DBInstanceIdentifier="main",
                   BackupRetentionPeriod=0)[0] == "InvalidParameterCombination"


def test_renaming_follows_the_replica(aws):
    arn = aws.primary()
    aws.replica(arn)
    aws.east.modify_db_instance(DBInstanceIdentifier="main", NewDBInstanceIdentifier="other",
                                ApplyImmediately=True)
    aws.clock.forward(40)
    assert refusal(aws.east.describe_db_instances, DBInstanceIdentifier="main")[0] == \
        "DBInstanceNotFound"
    assert aws.show(aws.west, "copy")["ReadReplicaSourceDBInstanceIdentifier"].endswith(":other")


def test_reboot_stop_and_start(aws):
    aws.primary()
    assert refusal(aws.east.reboot_db_instance, DBInstanceIdentifier="main",
                   ForceFailover=True)[0] == "InvalidParameterCombination"
    aws.east.reboot_db_instance(DBInstanceIdentifier="main")
    assert aws.words(aws.east, "main", 40) == ["available", "rebooting", "available"]
    aws.east.stop_db_instance(DBInstanceIdentifier="main")
    assert aws.words(aws.east, "main", 40) == ["available", "stopping", "stopped"]
    assert refusal(aws.east.modify_db_instance, DBInstanceIdentifier="main",
                   DeletionProtection=True)[0] == "InvalidDBInstanceState"
    aws.east.start_db_instance(DBInstanceIdentifier="main")
    assert aws.words(aws.east, "main", 40) == ["stopped", "starting", "available"]
    assert refusal(aws.east.start_db_instance, DBInstanceIdentifier="main")[0] == \
        "InvalidDBInstanceState"


def test_snapshots(aws):
    aws.primary()
    aws.east.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="shot")
    assert refusal(aws.east.create_db_snapshot, DBInstanceIdentifier="main",
                   DBSnapshotIdentifier="other")[0] == "InvalidDBInstanceState"
    assert refusal(aws.east.delete_db_snapshot, DBSnapshotIdentifier="shot")[0] == \
        "InvalidDBSnapshotState"
    assert aws.words(aws.east, "main", 70) == ["available", "backing-up", "available"]
    deleted = aws.east.delete_db_snapshot(DBSnapshotIdentifier="shot")["DBSnapshot"]
    assert deleted["Status"] == "deleted"
    assert refusal(aws.east.describe_db_snapshots, DBSnapshotIdentifier="shot")[:2] == \
        ("DBSnapshotNotFound", 404)


def test_automated_snapshots_cannot_be_deleted(aws):
    aws.primary()
    aws.clock.forward(100)
    automated = aws.east.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"][0]
    assert automated["Status"] == "available"
    assert refusal(aws.east.delete_db_snapshot,
                   DBSnapshotIdentifier=automated["DBSnapshotIdentifier"])[0] == \
        "InvalidDBSnapshotState"


def test_restore_makes_an_instance_of_its_own(aws):
    arn = aws.primary()
    aws.replica(arn)
    aws.west.create_db_snapshot(DBInstanceIdentifier="copy", DBSnapshotIdentifier="shot")
    aws.clock.forward(70)
    aws.west.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="back",
                                                  DBSnapshotIdentifier="shot")
    assert aws.status(aws.west, "back") == "creating"
    aws.clock.forward(101)
    back = aws.show(aws.west, "back")
    assert back["DBInstanceStatus"] == "available"
    assert "ReadReplicaSourceDBInstanceIdentifier" not in back


def test_tags(aws):
    arn = aws.primary(Tags=[{"Key": "team", "Value": "dr"}])
    aws.east.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "tier", "Value": "1"}])
    tags = aws.east.list_tags_for_resource(ResourceName=arn)["TagList"]
    assert {tag["Key"] for tag in tags} == {"team", "tier"}
    assert refusal(aws.east.list_tags_for_resource, ResourceName=arn + "x")[0] == \
        "DBInstanceNotFound"
    assert refusal(aws.west.list_tags_for_resource, ResourceName=arn)[0] == "InvalidParameterValue"


def test_accounts_are_apart(aws):
    aws.primary()
    keys = aws.world.client("sts").assume_role(
        RoleArn="arn:aws:iam::210987654321:role/OrganizationAccountAccessRole",
        RoleSessionName="other")["Credentials"]
    other = aws.world.client("rds", EAST, aws_access_key_id=keys["AccessKeyId"],
                             aws_secret_access_key=keys["SecretAccessKey"],
                             aws_session_token=keys["SessionToken"])
    assert other.describe_db_instances()["DBInstances"] == []
    assert refusal(other.create_db_instance_read_replica, DBInstanceIdentifier="copy",
                   SourceDBInstanceIdentifier="arn:aws:rds:us-east-1:123456789012:db:main")[0] == \
        "DBInstanceNotFound"


@pytest.mark.parametrize("engine, given, version, group", [
    ("postgres", "16", "16.4", "default.postgres16"),
    ("postgres", "13", "13.1", "default.postgres13"),
    ("mysql", "8.0", "8.0.39", "default.mysql8.0"),
    ("mysql", "8.4", "8.4.1", "default.mysql8.4"),
    ("mariadb", None, "10.11.9", "default.mariadb10.11"),
])
def test_major_versions_are_completed(aws, engine, given, version, group):
    aws.primary(Engine=engine, **({"EngineVersion": given} if given else {}))
    shown = aws.show(aws.east, "main")
    assert shown["EngineVersion"] == version
    assert shown["DBParameterGroups"][0]["DBParameterGroupName"] == group
