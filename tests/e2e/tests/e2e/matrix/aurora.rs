//! Aurora: global databases, their clusters and instances.

use crate::matrix::case::{Case, Seed};
use crate::matrix::clusters::{self, GLOBAL, NEW, OLD};
use crate::matrix::seed::SUBNETS;
use crate::matrix::snapshots;
use e2e::{EAST, WEST};
use serde_json::{Value, json};

/// All of them.
pub fn cases() -> Vec<Case> {
    let failovers = vec![
        switch_over(),
        switch_over_by_instances(),
        fail_over("aurora failover, managed", "MANAGED"),
        fail_over("aurora failover, detached", "DETACH"),
    ];
    let others = vec![
        lag_check(),
        create_secondary(),
        create_global_and_secondary(),
        add_instances(),
        remove_instances(),
        delete_stale(),
    ];
    [failovers, others, snapshots::of_clusters()].concat()
}

/// JSON pointer to a member of the global cluster; its ARN holds no slash and no tilde.
const WEST_WRITES: &str = "/us-west-2/globals/ledger-global/members/arn:aws:rds:us-west-2:123456789012:cluster:ledger-west/writer";
const EAST_IS_LISTED: &str = "/us-east-1/globals/ledger-global/members/arn:aws:rds:us-east-1:123456789012:cluster:ledger-east/writer";

fn west_serves() -> Vec<(&'static str, Value)> {
    vec![
        ("/us-west-2/clusters/ledger-west/status", json!("available")),
        ("/us-west-2/clusters/ledger-west/members/ledger-west-1", json!(true)),
        ("/us-west-2/instances/ledger-west-1/status", json!("available")),
    ]
}

/// Planned switchover to the west.
pub fn switch_over() -> Case {
    let seed: Seed = |w| Box::pin(clusters::pair(w));
    let kind = "PlannedFailoverAurora";
    Case {
        parameters: json!({"GlobalClusterIdentifier": GLOBAL, "DBClusterIdentifier": NEW}),
        proof: [west_serves(), vec![(WEST_WRITES, json!(true))]].concat(),
        late: Some("rds.global.switchover"),
        ..Case::new("aurora switchover", kind, "planned-failover-aurora", seed)
    }
}

/// Unplanned failover to the west.
pub fn fail_over(name: &'static str, mode: &str) -> Case {
    let detach = mode == "DETACH";
    let writer = vec![(WEST_WRITES, if detach { Value::Null } else { json!(true) })];
    Case {
        name,
        kind: "UnPlannedFailoverAurora",
        function: "unplanned-failover-aurora",
        unplanned: true,
        dark: true,
        parameters: json!({
            "GlobalClusterIdentifier": GLOBAL,
            "DBClusterIdentifier": NEW,
            "ClusterRegion": WEST,
            "Mode": mode,
            "AcceptDataLoss": "True",
            "FenceAcknowledged": "True",
        }),
        proof: [west_serves(), writer].concat(),
        late: Some(if detach { "rds.global.detach" } else { "rds.global.failover" }),
        ..switch_over()
    }
}

fn secondary_in_the_east() -> Case {
    let seed: Seed = |w| Box::pin(clusters::west_alone(w));
    let kind = "CreateAuroraSecondaryDBCluster";
    Case {
        phase: "REPLICATE",
        primary: WEST,
        parameters: json!({
            "GlobalClusterIdentifier": GLOBAL,
            "SourceDBClusterIdentifier": NEW,
            "SourceRegion": WEST,
            "ClusterRegion": EAST,
            "DBClusterName": "ledger-east",
            "DBClusterIdentifier": OLD,
            "DBInstanceIdentifier": ["ledger-east-1", "ledger-east-2"],
            "DBInstanceClass": "db.r6g.large",
            "Engine": "aurora-mysql",
            "DBSubnetGroupName": SUBNETS,
            "VpcSecurityGroupIds": "resolve:ssm:/sampleproduct/peer/security-group",
        }),
        proof: vec![
            (EAST_IS_LISTED, json!(false)),
            ("/us-east-1/clusters/ledger-east/status", json!("available")),
            ("/us-east-1/instances/ledger-east-1/status", json!("available")),
            ("/us-east-1/instances/ledger-east-2/status", json!("available")),
        ],
        late: Some("rds.cluster.create"),
        ..Case::new("aurora secondary", kind, "create-aurora-secondary-db-cluster", seed)
    }
}

/// Of a global database that is there.
pub fn create_secondary() -> Case {
    let mut case = secondary_in_the_east();
    let to_the_west = json!({
        "SourceDBClusterIdentifier": OLD,
        "SourceRegion": EAST,
        "ClusterRegion": WEST,
        "DBClusterName": "ledger-west",
        "DBClusterIdentifier": NEW,
        "DBInstanceIdentifier": "ledger-west-1",
        "VpcSecurityGroupIds": "resolve:ssm:/sampleproduct/peer/security-group",
    });
    for (name, value) in to_the_west.as_object().into_iter().flatten() {
        case.parameters[name] = value.clone();
    }
    Case {
        region: EAST,
        primary: EAST,
        seed: |w| Box::pin(clusters::primary_alone(w)),
        proof: vec![
            (WEST_WRITES, json!(false)),
            ("/us-west-2/clusters/ledger-west/status", json!("available")),
            ("/us-west-2/instances/ledger-west-1/status", json!("available")),
        ],
        ..case
    }
}

/// Of a cluster on its own.
pub fn create_global_and_secondary() -> Case {
    Case { name: "aurora global and secondary", ..secondary_in_the_east() }
}

/// A headless secondary gets its instances.
pub fn add_instances() -> Case {
    let seed: Seed = |w| Box::pin(clusters::headless(w));
    Case {
        phase: "INSTANTIATE",
        parameters: json!({
            "GlobalClusterIdentifier": GLOBAL,
            "DBClusterIdentifier": NEW,
            "DBInstanceIdentifier": "ledger-west-1,ledger-west-2",
            "DBInstanceClass": "db.r6g.large",
        }),
        proof: vec![
            ("/us-west-2/instances/ledger-west-1/status", json!("available")),
            ("/us-west-2/instances/ledger-west-2/status", json!("available")),
            (WEST_WRITES, json!(false)),
        ],
        late: Some("rds.create"),
        ..Case::new("aurora instances added", "AuroraMySQL", "aurora-mysql", seed)
    }
}

/// The same type as PlannedFailoverAurora in ACTIVATE.
pub fn switch_over_by_instances() -> Case {
    let parameters = json!({
        "GlobalClusterIdentifier": GLOBAL,
        "DBClusterIdentifier": NEW,
        "DBInstanceIdentifier": "ledger-west-1",
    });
    Case {
        name: "aurora switchover by AuroraMySQL",
        kind: "AuroraMySQL",
        function: "aurora-mysql",
        parameters,
        ..switch_over()
    }
}

/// Reads only.
pub fn lag_check() -> Case {
    Case {
        name: "aurora lag check",
        kind: "AuroraGlobalLagCheck",
        function: "aurora-global-lag-check",
        parameters: json!({"GlobalClusterIdentifier": GLOBAL, "MaxLagSeconds": 60, "Periods": 1}),
        proof: vec![(WEST_WRITES, json!(false))],
        late: None,
        ..switch_over()
    }
}

/// The old side keeps its storage and loses its instances.
pub fn remove_instances() -> Case {
    Case {
        name: "aurora instances removed",
        phase: "CLEANUP",
        region: EAST,
        primary: WEST,
        parameters: json!({
            "GlobalClusterIdentifier": GLOBAL,
            "DBClusterIdentifier": OLD,
            "DBInstanceIdentifier": "ledger-east-1,ledger-east-2",
        }),
        proof: vec![
            ("/us-east-1/instances/ledger-east-1", Value::Null),
            ("/us-east-1/instances/ledger-east-2", Value::Null),
            ("/us-east-1/clusters/ledger-east/status", json!("available")),
        ],
        late: Some("rds.delete"),
        seed: |w| Box::pin(clusters::switched(w)),
        ..add_instances()
    }
}

/// The old cluster, writer of a global cluster that nobody uses any more.
pub fn delete_stale() -> Case {
    let seed: Seed = |w| Box::pin(clusters::detached(w));
    Case {
        phase: "CLEANUP",
        region: EAST,
        primary: WEST,
        parameters: json!({
            "GlobalClusterIdentifier": GLOBAL,
            "DBClusterIdentifier": OLD,
            "ClusterRegion": EAST,
            "ExpectedWriterArn": NEW,
            "DisableDeletionProtection": "True",
            "DeleteGlobalCluster": "True",
        }),
        proof: vec![
            ("/us-east-1/clusters/ledger-east", Value::Null),
            ("/us-east-1/globals/ledger-global", Value::Null),
            ("/us-east-1/instances/ledger-east-1", Value::Null),
        ],
        late: Some("rds.cluster.delete"),
        repeatable: &["rds:ModifyDBCluster"],
        ..Case::new("aurora cluster deleted", "DeleteAuroraCluster", "delete-aurora-cluster", seed)
    }
}
