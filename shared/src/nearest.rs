//! The nearest legal name to a wrong one, for error messages.

/// The candidate most like `wrong`, when one is like enough to be worth naming.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let low = wrong.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::jaro_winkler(&low, &c.to_lowercase()), c))
        .filter(|(score, _)| *score >= 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// ` Did you mean "x"?` or an empty text.
pub fn did_you_mean<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wrong, candidates).map(|n| format!(" Did you mean \"{n}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_word() {
        let names = ["x-vpc-security-group-ids", "x-subnet-group-name"];
        assert_eq!(nearest("x-vps-security-group-ids", names), Some(names[0]));
        assert_eq!(nearest("zebra", ["ACTIVATE"]), None);
    }
}
