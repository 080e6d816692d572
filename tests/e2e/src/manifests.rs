//! Manifests of tests that do not use the sample.

use crate::ManifestText;
use crate::world::World;
use serde_json::{Value, json};

/// Folder of the manifests in the bucket.
pub const FILES: &str = "dr-orchestration-artifacts/manifest-files/";

/// A product manifest: one application layer per list of files. It may run in one Region only, and
/// what fails asks nobody.
pub fn product(name: &str, action: &str, region: &str, layers: &[&[&str]]) -> Value {
    let layer = |(n, files): (usize, &&[&str])| {
        json!({"app_layer": n + 1, "apps": [{
            "name": format!("app{}", n + 1),
            "service_order_files": files.iter().map(|f| format!("{FILES}{f}")).collect::<Vec<_>>(),
        }]})
    };
    json!({
        "action": action,
        "product_name": name,
        "region": region,
        "approval": {"timeout_minutes": 10},
        "onFailure": "fail",
        "product": layers.iter().enumerate().map(layer).collect::<Vec<_>>(),
    })
}

/// An application manifest from its layers.
pub fn application(layers: &[&[Value]]) -> Value {
    let layers = layers.iter().enumerate();
    layers.map(|(n, resources)| json!({"layer": n + 1, "resources": resources})).collect()
}

/// One resource.
pub fn resource(kind: &str, name: &str, parameters: Value) -> Value {
    json!({"resourceType": kind, "resourceName": name, "parameters": parameters})
}

/// A ModuleTest.
pub fn module_test(name: &str, parameters: Value) -> Value {
    resource("ModuleTest", name, parameters)
}

impl World {
    /// Lets what fails in this product ask nobody.
    pub async fn fails_at_once(&self, region: &str, key: &str) {
        let mut manifest = self.object(region, key).await.expect("the product manifest");
        manifest["onFailure"] = json!("fail");
        self.upload(region, key.trim_start_matches(FILES), manifest).await;
    }

    /// Uploads an ACTIVATE of one application and gives the product manifest's key.
    pub async fn given(&self, region: &str, name: &str, application: impl ManifestText) -> String {
        let file = format!("{name}-app1.json");
        self.upload(region, &file, application).await;
        let product = product(name, "ACTIVATE", region, &[&[&file]]);
        self.upload(region, &format!("{name}.json"), product).await
    }
}
