//! ElastiCache: global datastores and their replication groups.

use crate::matrix::caches::{self, STORE};
use crate::matrix::case::{Case, Seed};
use crate::matrix::seed::SUBNETS;
use e2e::{EAST, WEST};
use serde_json::{Value, json};

/// All of them.
pub fn cases() -> Vec<Case> {
    vec![
        fail_over(),
        fail_over_alone(),
        leave_in_activate(),
        leave_in_cleanup(),
        dissolve(),
        delete(),
        create(),
    ]
}

/// The west takes over.
pub fn fail_over() -> Case {
    let kind = "FailoverElastiCacheCluster";
    let seed: Seed = |w| Box::pin(caches::pair(w));
    Case {
        parameters: json!({
            "GlobalReplicationGroupId": STORE,
            "TargetRegion": WEST,
            "TargetReplicationGroupId": "sessions-dr",
        }),
        proof: vec![
            ("/us-west-2/datastores/ldgnf-sessions/members/us-west-2/role", json!("PRIMARY")),
            ("/us-west-2/groups/sessions-dr/role", json!("PRIMARY")),
            ("/us-west-2/groups/sessions-dr/status", json!("available")),
        ],
        late: Some("elasticache.failover"),
        family: "elasticache.",
        ..Case::new("cache failover, planned", kind, "failover-elasticache-cluster", seed)
    }
}

/// The east is lost: the west leaves the global datastore.
pub fn fail_over_alone() -> Case {
    let planned = fail_over();
    let mut parameters = planned.parameters.clone();
    parameters["OnUnavailable"] = json!("DISASSOCIATE");
    parameters["AcceptDataLoss"] = json!("True");
    Case {
        name: "cache failover, unplanned",
        unplanned: true,
        dark: true,
        parameters,
        proof: independent(),
        or_else: planned.proof.clone(),
        late: Some("elasticache.disassociate"),
        ..planned
    }
}

fn independent() -> Vec<(&'static str, Value)> {
    vec![
        ("/us-west-2/groups/sessions-dr/global", Value::Null),
        ("/us-west-2/groups/sessions-dr/status", json!("available")),
    ]
}

/// The type for the same, on its own.
pub fn leave_in_activate() -> Case {
    let kind = "DisassociateElastiCache";
    let seed: Seed = |w| Box::pin(caches::pair(w));
    Case {
        unplanned: true,
        dark: true,
        parameters: json!({
            "GlobalReplicationGroupId": STORE,
            "ReplicationGroupId": "sessions-dr",
            "ReplicationGroupRegion": WEST,
            "AcceptDataLoss": "True",
        }),
        proof: independent(),
        late: Some("elasticache.disassociate"),
        family: "elasticache.",
        ..Case::new("cache leaves, unplanned", kind, "disassociate-elasticache", seed)
    }
}

/// After a planned failover the old primary leaves.
pub fn leave_in_cleanup() -> Case {
    Case {
        name: "cache leaves in CLEANUP",
        phase: "CLEANUP",
        region: EAST,
        primary: WEST,
        unplanned: false,
        dark: false,
        parameters: json!({
            "GlobalReplicationGroupId": STORE,
            "ReplicationGroupId": "sessions",
            "ReplicationGroupRegion": EAST,
        }),
        proof: vec![
            ("/us-east-1/groups/sessions/global", Value::Null),
            ("/us-east-1/groups/sessions/status", json!("available")),
        ],
        seed: |w| Box::pin(caches::switched(w)),
        ..leave_in_activate()
    }
}

/// After an unplanned failover: the old primary is alone in a datastore that nobody uses.
fn dissolve() -> Case {
    let cleanup = leave_in_cleanup();
    let mut parameters = cleanup.parameters.clone();
    parameters["DeleteGlobalReplicationGroup"] = json!("True");
    parameters["PrimaryRegion"] = json!(EAST);
    let mut proof = cleanup.proof.clone();
    proof.push(("/us-east-1/datastores/ldgnf-sessions", Value::Null));
    Case {
        name: "cache datastore dissolved",
        parameters,
        proof,
        late: Some("elasticache.delete"),
        seed: |w| Box::pin(caches::split(w)),
        ..cleanup
    }
}

/// The old primary, on its own, goes.
pub fn delete() -> Case {
    let kind = "DeleteElastiCacheReplicationGroup";
    let seed: Seed = |w| Box::pin(caches::apart(w));
    Case {
        phase: "CLEANUP",
        region: EAST,
        primary: WEST,
        parameters: json!({
            "ReplicationGroupId": "sessions",
            "Region": EAST,
            "ExpectedPrimaryReplicationGroupId": "sessions-dr",
            "ExpectedPrimaryRegion": WEST,
        }),
        proof: vec![("/us-east-1/groups/sessions", Value::Null)],
        late: Some("elasticache.delete"),
        family: "elasticache.",
        ..Case::new("cache deleted", kind, "delete-elasticache-replication-group", seed)
    }
}

/// The west gets a secondary in the east, and the global datastore that it needs.
pub fn create() -> Case {
    let kind = "CreateElastiCacheSecondary";
    let seed: Seed = |w| Box::pin(caches::west_alone(w));
    Case {
        phase: "REPLICATE",
        primary: WEST,
        parameters: json!({
            "GlobalReplicationGroupIdSuffix": "sessions",
            "SourceRegion": WEST,
            "SourceReplicationGroupId": "sessions-dr",
            "ReplicationGroupId": "sessions",
            "TargetRegion": EAST,
            "CacheSubnetGroupName": SUBNETS,
            "SecurityGroupIds": "resolve:ssm:/sampleproduct/peer/security-group",
            "NumCacheClusters": "2",
        }),
        proof: vec![
            ("/us-east-1/groups/sessions/role", json!("SECONDARY")),
            ("/us-east-1/groups/sessions/global", json!("sgaui-sessions")),
            ("/us-east-1/groups/sessions/status", json!("available")),
            ("/us-west-2/groups/sessions-dr/role", json!("PRIMARY")),
        ],
        late: Some("elasticache.create"),
        family: "elasticache.",
        ..Case::new("cache secondary", kind, "create-elasticache-secondary", seed)
    }
}
