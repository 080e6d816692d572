//! What is wanted and what one look sees.

use shared_rds::{Arn, Cluster, Global, Instance};

/// The parameters, checked and typed.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Identifier of the global cluster, in lower case.
    pub global: String,
    /// The cluster that serves.
    pub source: Arn,
    /// The secondary.
    pub cluster: Arn,
    /// Its instances.
    pub instances: Vec<Arn>,
    /// The engine that the manifest expects.
    pub engine: String,
    /// The version that the manifest expects.
    pub version: Option<String>,
    /// What the manifest says of encryption.
    pub encrypted: Option<bool>,
    /// Whether the manifest gives a key.
    pub has_key: bool,
    /// Whether the instances are `db.serverless`.
    pub serverless: bool,
    /// Whether the manifest gives a capacity range.
    pub capacity: bool,
}

/// One look.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The parameters.
    pub wanted: Wanted,
    /// The source as its Region shows it.
    pub source: Option<Cluster>,
    /// The global cluster as the source's Region shows it, else as the secondary's does.
    pub global: Option<Global>,
    /// The cluster of the secondary's name.
    pub cluster: Option<Cluster>,
    /// The instances of the wanted names, in their order; None: there is none.
    pub instances: Vec<Option<Instance>>,
}

impl Observed {
    /// The wanted instances beside what there is of them.
    pub fn pairs(&self) -> impl Iterator<Item = (&Arn, Option<&Instance>)> {
        self.wanted.instances.iter().zip(self.instances.iter().map(Option::as_ref))
    }
}
