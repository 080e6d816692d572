//! Files on a desk.

use crate::offline::{Candidate, Checked, check};

fn file(path: &str, text: &str, named: bool) -> Candidate {
    Candidate { path: path.to_owned(), bytes: text.as_bytes().to_vec(), named }
}

fn found(files: &[Candidate]) -> (Checked, Vec<String>) {
    let checked = check(files).unwrap();
    let lines = checked.report.problems.iter().map(ToString::to_string).collect();
    (checked, lines)
}

const PRODUCT: &str = r#"{"action": "CLEANUP", "product_name": "shop", "region": "us-east-1",
    "product": [{"apps": [{"name": "a", "service_order_files": ["x/y/app.yaml"]}]}]}"#;
const PROMOTE: &str = "- resources:\n    - resourceType: PromoteRDSReadReplica\n      resourceName: x\n      parameters: {RDSInstanceIdentifier: a}\n";

#[test]
fn the_product_manifest_decides_the_phase() {
    let files = [file("m/p.json", PRODUCT, true), file("m/app.yaml", PROMOTE, true)];
    let (checked, lines) = found(&files);
    assert_eq!((checked.products, checked.applications), (1, 1));
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("not legal in CLEANUP, only in ACTIVATE"), "{lines:?}");
}

#[test]
fn alone_the_file_name_decides_the_phase() {
    assert!(found(&[file("shop-ACTIVATE.yaml", PROMOTE, true)]).1.is_empty());
    assert!(found(&[file("shop.yaml", PROMOTE, true)]).1.is_empty());
    assert_eq!(found(&[file("shop-CLEANUP.yaml", PROMOTE, true)]).1.len(), 1);
}

#[test]
pub fn a_manifest_that_was_not_given_is_a_warning() {
    let (checked, lines) = found(&[file("p.json", PRODUCT, true)]);
    assert!(lines.is_empty());
    assert_eq!(
        checked.report.warnings[0].text,
        "\"x/y/app.yaml\" was not checked: no app.yaml was given"
    );
}

#[test]
fn the_input_of_a_direct_start_is_checked_like_a_manifest() {
    let input = |resource: &str| {
        let text = format!(r#"{{"StatePayload": [{{"layer": 1, "resources": [{resource}]}}]}}"#);
        found(&[file("case-ACTIVATE.json", &text, true)])
    };
    let (checked, lines) = input(r#"{"resourceType": "ModuleTest", "resourceName": "x"}"#);
    assert_eq!((checked.starts, checked.applications, lines.len()), (1, 0, 0), "{lines:?}");
    let (_, lines) = input(r#"{"resourceType": "PromoteRDSReadReplica", "resourceName": "x"}"#);
    assert_eq!(lines.len(), 1);
    let start = "case-ACTIVATE.json: StatePayload: $[0].resources[0]";
    assert!(lines[0].starts_with(start), "{lines:?}");
    let (_, lines) = found(&[file("x.json", r#"{"StatePayload": [], "produkt": "a"}"#, false)]);
    assert!(lines.iter().any(|l| l.contains("produkt")), "{lines:?}");
}

#[test]
fn of_several_files_with_one_name_the_neighbour_is_meant() {
    let good = "- resources:\n    - {resourceType: ModuleTest, resourceName: x}\n";
    let files = [
        file("a/app.yaml", "- resources: []\n", true),
        file("b/p.json", PRODUCT, true),
        file("b/app.yaml", good, true),
    ];
    let (_, lines) = found(&files);
    assert_eq!(
        lines,
        ["a/app.yaml: $[0].resources: is an empty list, must be a list of at least one resource"]
    );
}

#[test]
fn in_a_folder_other_files_are_skipped_but_broken_manifests_are_not() {
    let files = [
        file("d/template.yaml", "A: !Ref b\n", false),
        file("d/parameters.json", "[{\"ParameterKey\": \"a\"}]", false),
        file("d/shop-ACTIVATE.json", "[", false),
        file("d/product-manifest.json", "{\"action\": 1}", false),
    ];
    let (checked, lines) = found(&files);
    assert_eq!(checked.skipped.len(), 2, "{:?}", checked.skipped);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("d/shop-ACTIVATE.json:1:1: not legal JSON"));
}

#[test]
pub fn a_named_file_must_be_a_manifest() {
    let (_, lines) = found(&[file("x.json", "{\"a\": 1}", true)]);
    assert!(lines[0].contains("neither a product manifest"), "{lines:?}");
}
