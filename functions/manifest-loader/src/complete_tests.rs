//! For every problem and every warning that the rules can tell there is a manifest in the tests that
//! makes them tell it. Each place in the sources that makes one must be reached.

use crate::{approvers, key, offline_tests as offline, rules_tests as rules, text_tests as text};
use std::collections::BTreeSet;
use std::panic::Location;
use std::path::Path;
use std::sync::Mutex;

/// File and line.
type Place = (String, usize);

static REACHED: Mutex<BTreeSet<Place>> = Mutex::new(BTreeSet::new());

/// Notes where a problem was made.
pub fn note(at: &Location) {
    let line = usize::try_from(at.line()).unwrap();
    // A test that fails here must not make others fail.
    let mut reached = REACHED.lock().unwrap_or_else(|e| e.into_inner());
    reached.insert((name(Path::new(at.file())), line));
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// What makes a problem.
const MAKERS: [&str; 4] = [".wrong(", ".wrong_as(", ".warn(", "Problem::new("];

/// Every place of the rules that makes one, tests excluded.
fn places() -> BTreeSet<Place> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
    let rules = files.filter(|f| {
        let name = name(f);
        name.ends_with(".rs") && !name.ends_with("_tests.rs") && name != "problem.rs"
    });
    rules.flat_map(|file| places_of(&file)).collect()
}

fn places_of(file: &Path) -> Vec<Place> {
    let text = std::fs::read_to_string(file).unwrap();
    let own = text.split("#[cfg(test)]").next().unwrap_or_default();
    let made = own.lines().enumerate().filter(|(_, l)| MAKERS.iter().any(|m| l.contains(m)));
    made.map(|(n, _)| (name(file), n + 1)).collect()
}

/// The tests are called here, because each may run in a process of its own.
#[test]
fn every_problem_and_warning_is_told_of_a_manifest_in_these_tests() {
    rules::each_rule_of_an_application_manifest_names_its_place_and_what_would_be_right();
    rules::each_rule_of_a_product_manifest_names_its_place_and_what_would_be_right();
    rules::regions_must_make_sense_together();
    rules::too_many_resources_and_too_much_state_are_refused();
    rules::wrong_parameters_have_their_own_error_type();
    rules::the_start_input_is_checked_like_a_manifest();
    rules::a_direct_start_is_checked_like_a_manifest();
    rules::a_token_outside_of_parameters_is_no_value();
    text::broken_syntax_is_told_with_line_and_column();
    text::what_would_be_ambiguous_is_refused();
    text::other_encodings_are_refused_with_their_place();
    text::a_file_beyond_the_limit_is_refused();
    offline::a_manifest_that_was_not_given_is_a_warning();
    offline::a_named_file_must_be_a_manifest();
    approvers::tests::too_few_approvers_are_a_mistake();
    key::tests::a_name_of_another_phase_is_a_warning();

    let places = places();
    assert!(places.len() > 35, "the sources are not where they were: {places:?}");
    let reached = REACHED.lock().unwrap().clone();
    let missing: Vec<_> = places.difference(&reached).collect();
    assert!(missing.is_empty(), "no manifest of these tests leads to {missing:?}");
}
