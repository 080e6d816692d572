//! S3 keys as people write them, and the short names of manifests within a run.

use crate::problem::Report;
use shared::Phase;
use shared::names::slug;
use std::collections::BTreeSet;

/// The key that a text means. People copy it with the bucket in front of it, or begin it with a slash.
///
/// # Errors
/// What is wrong with it.
pub fn of(text: &str, bucket: Option<&str>) -> Result<String, String> {
    let key = match text.strip_prefix("s3://").map(|rest| rest.split_once('/')) {
        Some(Some((named, key))) if bucket.is_none_or(|own| own == named) => key,
        Some(named) => {
            let named = named.map_or(text, |(bucket, _)| bucket);
            let own = bucket.unwrap_or("the orchestrator's bucket");
            return Err(format!(
                "\"{text}\" is in the bucket \"{named}\"; manifests are read from {own} of the executing Region alone: upload it there and give its key"
            ));
        }
        None => text.trim_start_matches('/'),
    };
    match key {
        "" => Err(format!("\"{text}\" names no object")),
        key if key.len() > 1024 => Err("is longer than 1024 bytes, the limit of an S3 key".into()),
        key if key.chars().any(char::is_control) => {
            Err(format!("\"{text}\" holds a control character"))
        }
        key => Ok(key.to_owned()),
    }
}

/// What follows the last slash.
pub fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Everything up to the last slash, with it.
pub fn folder(key: &str) -> &str {
    &key[..key.len() - file_name(key).len()]
}

fn stem(key: &str) -> &str {
    let name = file_name(key);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The phase that a file's name speaks of.
pub fn phase_in_name(key: &str) -> Option<Phase> {
    let words = stem(key).split(|c: char| !c.is_ascii_alphanumeric());
    let mut phases =
        words.filter_map(|w| Phase::ALL.into_iter().find(|p| p.as_str().eq_ignore_ascii_case(w)));
    phases.next_back()
}

/// A name that disagrees with the action is most likely the wrong file.
pub fn warn_of_another_phase(file: &str, phase: Phase, report: &mut Report) {
    if let Some(named) = phase_in_name(file).filter(|named| *named != phase) {
        let text = format!("the file's name speaks of {named}, but it runs in {phase}");
        report.warn(file, "", text);
    }
}

/// Short names of the manifests: letters, digits and hyphens, at most 40 characters, unique.
pub fn short_names<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    keys.map(|key| {
        let whole = slug(stem(key), 40);
        let mut name = whole.clone();
        let mut n = 1;
        while !taken.insert(name.clone()) {
            n += 1;
            let suffix = format!("-{n}");
            name = format!("{}{suffix}", slug(&whole, 40 - suffix.len()));
        }
        name
    })
    .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn people_may_write_the_bucket_or_a_slash() {
        for text in ["a/b.json", "/a/b.json", "s3://own/a/b.json"] {
            assert_eq!(of(text, Some("own")).unwrap(), "a/b.json");
        }
        for text in ["s3://other/a.json", "s3://own", "/", "", "a\nb"] {
            assert!(of(text, Some("own")).is_err(), "{text}");
        }
        assert_eq!(of("s3://any/a.json", None).unwrap(), "a.json");
    }

    #[test]
    fn short_names_are_short_and_unique() {
        let long = format!("x/{}.json", "a".repeat(60));
        let keys = ["x/app.json", "y/app.json", "z/app.yaml", "x/app-2.json", &long, &long];
        let names = short_names(keys.into_iter());
        assert_eq!(names[..4], ["app", "app-2", "app-3", "app-2-2"]);
        assert_eq!(names[4], "a".repeat(40));
        assert_eq!(names[5], format!("{}-2", "a".repeat(38)));
    }

    #[test]
    pub fn a_name_of_another_phase_is_a_warning() {
        let mut report = Report::default();
        warn_of_another_phase(
            "m/Product-manifest-shop-activate.json",
            Phase::Activate,
            &mut report,
        );
        warn_of_another_phase("m/shop-CLEANUP.json", Phase::Activate, &mut report);
        warn_of_another_phase("m/shop.json", Phase::Activate, &mut report);
        assert_eq!(report.warnings.len(), 1);
        assert!(report.is_clean());
        assert_eq!(phase_in_name("ACTIVATE/x.json"), None);
    }
}
