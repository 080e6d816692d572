//! What is wanted and what one look at a cluster and its instances sees.

use shared_rds::{Arn, Cluster, Global, Instance};

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Identifier of the global cluster, in lower case.
    pub global: String,
    /// The cluster.
    pub cluster: Arn,
    /// The instances to add or to remove.
    pub instances: Vec<Arn>,
    /// Class of the instances to add.
    pub class: String,
    /// Whether they are `db.serverless`.
    pub serverless: bool,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// The cluster.
    pub cluster: Option<Cluster>,
    /// The global cluster as the cluster's Region knows it; CLEANUP only.
    pub global: Option<Global>,
    /// The instances of the wanted names, in their order; None: there is none.
    pub instances: Vec<Option<Instance>>,
}

impl Observed {
    /// The wanted instances that exist.
    pub fn existing(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter().flatten()
    }

    /// The wanted instances that do not exist.
    pub fn missing(&self) -> impl Iterator<Item = &Arn> {
        let pairs = self.wanted.instances.iter().zip(&self.instances);
        pairs.filter_map(|(arn, found)| found.is_none().then_some(arn))
    }

    /// Whether the cluster is a member of the global cluster that is meant.
    pub fn is_member(&self, cluster: &Cluster) -> bool {
        cluster.global.as_deref().is_some_and(|g| g.eq_ignore_ascii_case(&self.wanted.global))
    }

    /// Whether the instance is one of the cluster's.
    pub fn is_ours(&self, instance: &Instance) -> bool {
        let of = instance.cluster.as_deref();
        of.is_some_and(|c| c.eq_ignore_ascii_case(&self.wanted.cluster.id))
    }
}
