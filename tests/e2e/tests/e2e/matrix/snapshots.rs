//! DBSnapshot in its modes.

use crate::matrix::case::{Case, Seed};
use crate::matrix::clusters::{self, OLD};
use crate::matrix::seed::instance;
use e2e::{EAST, WEST, World};
use serde_json::{Value, json};

/// Of instances.
pub fn of_instances() -> Vec<Case> {
    vec![taken()]
}

/// Of clusters, and copies.
pub fn of_clusters() -> Vec<Case> {
    vec![copied(), of_a_cluster(), point_of_failure()]
}

fn snapshot(name: &'static str, parameters: Value, seed: Seed) -> Case {
    Case {
        phase: "CLEANUP",
        region: EAST,
        primary: WEST,
        parameters,
        ..Case::new(name, "DBSnapshot", "db-snapshot", seed)
    }
}

fn taken() -> Case {
    let parameters = json!({
        "Kind": "INSTANCE", "SourceIdentifier": "ledger", "SnapshotIdentifier": "drill-{date}",
    });
    Case {
        proof: vec![("/us-east-1/snapshots/drill-#-#-#/status", json!("available"))],
        late: Some("rds.snapshot"),
        ..snapshot("snapshot of an instance", parameters, |w| Box::pin(instance(w, EAST, "ledger")))
    }
}

async fn with_snapshot(world: &World) {
    instance(world, EAST, "ledger").await;
    let create = world.rds(EAST).create_db_snapshot().db_instance_identifier("ledger");
    create.db_snapshot_identifier("before").send().await.expect("create-db-snapshot");
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
}

fn copied() -> Case {
    let parameters = json!({
        "Kind": "INSTANCE", "Action": "COPY", "SourceIdentifier": "before",
        "TargetRegion": WEST, "SnapshotIdentifier": "copy-of-before",
    });
    Case {
        proof: vec![("/us-west-2/snapshots/copy-of-before/status", json!("available"))],
        ..snapshot("snapshot copied", parameters, |w| Box::pin(with_snapshot(w)))
    }
}

fn of_a_cluster() -> Case {
    let parameters = json!({
        "Kind": "CLUSTER", "SourceIdentifier": OLD, "SnapshotIdentifier": "drill-{date}",
    });
    Case {
        proof: vec![("/us-east-1/clusterSnapshots/drill-#-#-#/status", json!("available"))],
        late: Some("rds.cluster.snapshot"),
        ..snapshot("snapshot of a cluster", parameters, |w| {
            Box::pin(clusters::cluster(w, EAST, "ledger-east"))
        })
    }
}

fn point_of_failure() -> Case {
    let parameters = json!({
        "Kind": "CLUSTER", "Action": "COPY_POINT_OF_FAILURE", "SourceIdentifier": OLD,
        "SnapshotIdentifier": "what-was-lost",
    });
    Case {
        proof: vec![("/us-east-1/clusterSnapshots/what-was-lost/status", json!("available"))],
        late: Some("rds.snapshot.copy"),
        ..snapshot("point of failure saved", parameters, |w| Box::pin(clusters::managed(w)))
    }
}
