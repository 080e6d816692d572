//! Engine versions of the members of a global cluster.

/// Whether major and minor version are the same, which switchover and managed failover need.
/// `8.0.mysql_aurora.3.05.2` counts as 3.05, `16.4` as 16.4. Rules for patch levels differ from
/// version to version: RDS applies them itself.
pub fn same_minor(one: &str, other: &str) -> bool {
    minor(one) == minor(other)
}

fn minor(version: &str) -> Vec<u32> {
    let own = version.rsplit("aurora.").next().unwrap_or(version);
    own.split('.').take(2).filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_and_minor_count() {
        let mysql = "8.0.mysql_aurora.3.05.2";
        assert!(same_minor(mysql, "8.0.mysql_aurora.3.05.1"));
        assert!(!same_minor(mysql, "8.0.mysql_aurora.3.06.0"));
        assert!(!same_minor(mysql, "5.7.mysql_aurora.2.05.2"));
        assert!(same_minor("16.4", "16.4") && !same_minor("16.4", "16.6"));
        assert!(!same_minor("16.4", "15.4"));
    }
}
