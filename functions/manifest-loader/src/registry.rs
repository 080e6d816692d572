//! Every resource type: its schema is what its function prints with `--describe`.

use crate::schema::Schema;
use serde_json::Value;
use shared::Phase;
use std::sync::LazyLock;

/// One line per type; the name is in the schema.
const TYPES: &[&str] = &[
    include_str!("../../../samples/schema/AuroraGlobalLagCheck.schema.json"),
    include_str!("../../../samples/schema/AuroraMySQL.schema.json"),
    include_str!("../../../samples/schema/CreateAuroraSecondaryDBCluster.schema.json"),
    include_str!("../../../samples/schema/CreateElastiCacheSecondary.schema.json"),
    include_str!("../../../samples/schema/CreateRDSReadReplica.schema.json"),
    include_str!("../../../samples/schema/DBSnapshot.schema.json"),
    include_str!("../../../samples/schema/DeleteAuroraCluster.schema.json"),
    include_str!("../../../samples/schema/DeleteElastiCacheReplicationGroup.schema.json"),
    include_str!("../../../samples/schema/DeleteRDSInstance.schema.json"),
    include_str!("../../../samples/schema/DeployCF.schema.json"),
    include_str!("../../../samples/schema/DisassociateElastiCache.schema.json"),
    include_str!("../../../samples/schema/FailoverElastiCacheCluster.schema.json"),
    include_str!("../../../samples/schema/InvokeLambda.schema.json"),
    include_str!("../../../samples/schema/ModuleTest.schema.json"),
    include_str!("../../../samples/schema/PlannedFailoverAurora.schema.json"),
    include_str!("../../../samples/schema/PromoteRDSReadReplica.schema.json"),
    include_str!("../../../samples/schema/UnPlannedFailoverAurora.schema.json"),
];
const PRODUCT: &str = include_str!("../../../samples/schema/product-manifest.schema.json");
const APPLICATION: &str = include_str!("../../../samples/schema/application-manifest.schema.json");

/// A resource type.
pub struct Kind {
    /// `resourceType`.
    pub name: String,
    /// Where it is legal.
    pub phases: Vec<Phase>,
    /// Its parameters.
    pub parameters: Schema,
}

/// All schemas, compiled once.
pub struct Registry {
    /// In alphabetical order.
    pub kinds: Vec<Kind>,
    /// Product manifests.
    pub product: Schema,
    /// Application manifests, without the parameters of their resources.
    pub application: Schema,
}

impl Registry {
    /// The registry.
    ///
    /// # Errors
    /// A defect of the build: a schema that is none.
    pub fn get() -> Result<&'static Self, shared::Error> {
        static REGISTRY: LazyLock<Result<Registry, String>> = LazyLock::new(compile);
        REGISTRY.as_ref().map_err(|e| shared::Error::internal(e.clone()))
    }

    /// The type of this name.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|k| k.name == name)
    }

    /// The names of the types that are legal in a phase, or of all.
    pub fn names(&self, phase: Option<Phase>) -> Vec<&str> {
        let legal = self.kinds.iter().filter(|k| phase.is_none_or(|p| k.phases.contains(&p)));
        legal.map(|k| k.name.as_str()).collect()
    }
}

fn compile() -> Result<Registry, String> {
    let mut kinds = TYPES.iter().map(|t| kind(t)).collect::<Result<Vec<_>, _>>()?;
    kinds.sort_by(|a, b| a.name.cmp(&b.name));
    let product = Schema::of_manifest(document(PRODUCT)?)?;
    let application = Schema::of_manifest(structure(document(APPLICATION)?))?;
    Ok(Registry { kinds, product, application })
}

fn kind(text: &str) -> Result<Kind, String> {
    let document = document(text)?;
    let name = document["x-dr-type"].as_str().unwrap_or_default().to_owned();
    let phases = serde_json::from_value(document["x-dr-phases"].clone());
    let phases = phases.map_err(|e| format!("x-dr-phases of {name}: {e}"))?;
    Ok(Kind { name, phases, parameters: Schema::of_parameters(document)? })
}

fn document(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|e| format!("an embedded schema is broken: {e}"))
}

/// The links to the types' schemas are for editors; here each resource is checked with its own type's.
fn structure(mut application: Value) -> Value {
    if let Some(resource) = application["$defs"]["resource"].as_object_mut() {
        resource.remove("allOf");
        // The rule about types names the nearest one and knows the phase.
        for name in ["resourceType", "action"] {
            if let Some(property) = resource["properties"][name].as_object_mut() {
                property.remove("enum");
            }
        }
    }
    application
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_schema_compiles_and_every_committed_type_is_registered() {
        let registry = Registry::get().unwrap_or_else(|e| panic!("{e}"));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/schema");
        let committed: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().file_name().into_string().unwrap())
            .filter_map(|f| f.strip_suffix(".schema.json").map(str::to_owned))
            .filter(|name| !name.ends_with("-manifest"))
            .collect();
        let known: BTreeSet<String> = registry.kinds.iter().map(|k| k.name.clone()).collect();
        assert_eq!(known, committed);
    }

    #[test]
    fn editors_are_led_to_the_schema_of_every_type() {
        let application: Value = serde_json::from_str(APPLICATION).unwrap();
        let resource = &application["$defs"]["resource"];
        let registry = Registry::get().unwrap_or_else(|e| panic!("{e}"));
        let names: Vec<Value> = registry.names(None).into_iter().map(Value::from).collect();
        assert_eq!(resource["properties"]["resourceType"]["enum"], Value::Array(names.clone()));
        let linked: Vec<Value> = resource["allOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| {
                let name = rule["if"]["properties"]["resourceType"]["const"].clone();
                let file = format!("{}.schema.json", name.as_str().unwrap());
                assert_eq!(rule["then"]["properties"]["parameters"]["anyOf"][0]["$ref"], file);
                name
            })
            .collect();
        assert_eq!(linked, names);
    }
}
