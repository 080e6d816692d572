//! Names of DB instances and DB clusters as manifests write them. Partition, Region and account of
//! an ARN are checked, never ignored.

use shared::{Error, Result};

/// What an ARN names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A DB instance.
    Db,
    /// A DB cluster.
    Cluster,
}

impl Kind {
    /// The word in the ARN.
    const fn word(self) -> &'static str {
        match self {
            Self::Db => "db",
            Self::Cluster => "cluster",
        }
    }

    /// For people.
    const fn noun(self) -> &'static str {
        match self {
            Self::Db => "DB instance",
            Self::Cluster => "DB cluster",
        }
    }
}

/// `arn:<partition>:rds:<region>:<account>:<db|cluster>:<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arn {
    /// What it names.
    pub kind: Kind,
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// Its Region.
    pub region: String,
    /// Its account, twelve digits.
    pub account: String,
    /// DBInstanceIdentifier or DBClusterIdentifier, in lower case as RDS keeps it.
    pub id: String,
}

impl Arn {
    /// Reads the ARN of a DB instance that the manifest gives in `parameter`.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for anything but the ARN of a DB instance.
    pub fn parse(parameter: &str, text: &str) -> Result<Self> {
        Self::of_kind(Kind::Db, parameter, text)
    }

    /// Reads the ARN of a DB cluster that the manifest gives in `parameter`.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for anything but the ARN of a DB cluster.
    pub fn parse_cluster(parameter: &str, text: &str) -> Result<Self> {
        Self::of_kind(Kind::Cluster, parameter, text)
    }

    fn of_kind(kind: Kind, parameter: &str, text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "rds", region, account, word, id] = parts.as_slice() else {
            return Err(no_arn(kind, parameter, text));
        };
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let legal = digits && is_region(region) && partition.starts_with("aws");
        if !legal || *word != kind.word() {
            return Err(no_arn(kind, parameter, text));
        }
        Ok(Self {
            kind,
            partition: (*partition).to_owned(),
            region: (*region).to_owned(),
            account: (*account).to_owned(),
            id: identifier(parameter, id, 63)?,
        })
    }

    /// Whether `text`, said of an instance in `region`, means this one: RDS names instances of the
    /// same Region by identifier and those of other Regions by ARN.
    pub fn is_named(&self, text: &str, region: &str) -> bool {
        let by_id = !text.starts_with("arn:") && region == self.region;
        text.eq_ignore_ascii_case(&if by_id { self.id.clone() } else { self.to_string() })
    }
}

fn no_arn(kind: Kind, parameter: &str, text: &str) -> Error {
    let (noun, word) = (kind.noun(), kind.word());
    Error::invalid_parameters(format!(
        "parameters.{parameter}: \"{text}\" is not the ARN of a {noun} \
         (arn:aws:rds:<region>:<account>:{word}:<identifier>)"
    ))
}

impl std::fmt::Display for Arn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, partition, region, account, id } = self;
        write!(f, "arn:{partition}:rds:{region}:{account}:{}:{id}", kind.word())
    }
}

/// Where a step works: what every ARN that it is given, and every instance that it finds, must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// The Region that the client calls.
    pub region: String,
    /// The account that the client's role is in.
    pub account: String,
}

impl Place {
    /// The instance that a parameter names by identifier or ARN.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for a malformed name, `Dr.Refused` for an ARN of another place.
    pub fn instance(&self, parameter: &str, text: &str) -> Result<Arn> {
        self.named(Kind::Db, parameter, text)
    }

    /// The cluster that a parameter names by identifier or ARN.
    ///
    /// # Errors
    /// As [`Place::instance`].
    pub fn cluster(&self, parameter: &str, text: &str) -> Result<Arn> {
        self.named(Kind::Cluster, parameter, text)
    }

    fn named(&self, kind: Kind, parameter: &str, text: &str) -> Result<Arn> {
        if text.starts_with("arn:") {
            let arn = Arn::of_kind(kind, parameter, text)?;
            self.must_hold(parameter, &arn)?;
            return Ok(arn);
        }
        Ok(self.of(kind, identifier(parameter, text, 63)?))
    }

    /// The ARN of an instance's identifier here.
    pub fn arn(&self, id: String) -> Arn {
        self.of(Kind::Db, id)
    }

    /// The ARN of a cluster's identifier here.
    pub fn cluster_arn(&self, id: String) -> Arn {
        self.of(Kind::Cluster, id)
    }

    fn of(&self, kind: Kind, id: String) -> Arn {
        let Self { partition, region, account } = self.clone();
        Arn { kind, partition, region, account, id }
    }

    /// Refuses an ARN of another partition, Region or account.
    ///
    /// # Errors
    /// `Dr.Refused`.
    pub fn must_hold(&self, parameter: &str, arn: &Arn) -> Result<()> {
        let pairs = [
            ("Region", &arn.region, &self.region),
            ("account", &arn.account, &self.account),
            ("partition", &arn.partition, &self.partition),
        ];
        let Some((what, said, wanted)) = pairs.into_iter().find(|(_, a, b)| a != b) else {
            return Ok(());
        };
        let text = format!(
            "parameters.{parameter} names a {} in {what} {said}, the step works in {wanted}",
            arn.kind.noun()
        );
        Err(Error::refused(text).next(match what {
            "account" => "Correct the ARN, or set the resource's accountId.",
            _ => "Correct the ARN, or start the manifest in the Region it is meant for.",
        }))
    }
}

/// An identifier by RDS's rules, in lower case: letters, digits and single hyphens, a letter first.
///
/// # Errors
/// `Dr.InvalidParameters`.
pub fn identifier(parameter: &str, text: &str, max: usize) -> Result<String> {
    let legal = text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.contains("--")
        && !text.ends_with('-');
    if legal {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Error::invalid_parameters(format!(
        "parameters.{parameter}: \"{text}\" is not an identifier (1 to {max} letters, digits and \
         single hyphens, beginning with a letter)"
    )))
}

/// A Region's name as it stands in a parameter.
///
/// # Errors
/// `Dr.InvalidParameters`: a name that cannot be one would become part of an endpoint's address.
pub fn region(parameter: &str, text: &str) -> Result<String> {
    if is_region(text) {
        return Ok(text.to_owned());
    }
    let text = format!("parameters.{parameter}: \"{text}\" is not a Region, for example us-west-2");
    Err(Error::invalid_parameters(text))
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase());
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ErrorType;

    const ARN: &str = "arn:aws:rds:us-west-2:123456789012:db:Orders";

    fn place(partition: &str, region: &str, account: &str) -> Place {
        Place { partition: partition.into(), region: region.into(), account: account.into() }
    }

    #[test]
    fn an_arn_must_name_this_partition_region_and_account() {
        let found = place("aws", "us-west-2", "123456789012").instance("P", ARN).unwrap();
        assert_eq!(found.to_string(), ARN.to_lowercase());
        for elsewhere in [
            place("aws", "us-east-1", "123456789012"),
            place("aws", "us-west-2", "999999999999"),
            place("aws-cn", "us-west-2", "123456789012"),
        ] {
            let error = elsewhere.instance("P", ARN).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused, "{elsewhere:?}");
        }
    }

    #[test]
    fn clusters_are_no_instances() {
        let here = place("aws", "us-west-2", "123456789012");
        let arn = "arn:aws:rds:us-west-2:123456789012:cluster:orders";
        assert_eq!(here.cluster("P", arn).unwrap().to_string(), arn);
        assert_eq!(here.cluster("P", "Orders").unwrap(), Arn::parse_cluster("P", arn).unwrap());
        assert!(here.cluster("P", ARN).is_err() && here.instance("P", arn).is_err());
        let error = Arn::parse_cluster("P", ARN).unwrap_err();
        assert!(error.message.contains("cluster:<identifier>"), "{}", error.message);
    }

    #[test]
    fn an_identifier_means_the_instance_here() {
        let found = place("aws", "us-west-2", "123456789012").instance("P", "Orders").unwrap();
        assert_eq!(found, Arn::parse("P", ARN).unwrap());
    }

    #[test]
    fn other_arns_are_no_instances() {
        for wrong in [
            "arn:aws:rds:us-west-2:123456789012:cluster:x",
            "orders",
            "arn:aws:rds:::db:x",
            "arn:aws:rds:us-west-2:1:db:x",
            "arn:aws:rds:us-west-2.example.com/:123456789012:db:x",
            "arn:aws:rds:us-west-2:123456789012:db:a b",
        ] {
            assert!(Arn::parse("P", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn identifiers_and_regions_follow_the_rules_of_rds() {
        for wrong in ["", "1a", "a--b", "a-", "a_b", "!Import x", &"a".repeat(64)] {
            assert!(identifier("P", wrong, 63).is_err(), "{wrong}");
        }
        assert_eq!(identifier("P", "Orders-DB1", 63).unwrap(), "orders-db1");
        for right in ["us-east-1", "us-gov-west-1", "eu-isoe-west-1"] {
            assert_eq!(region("P", right).unwrap(), right);
        }
        for wrong in ["", "us-east", "us-east-1 ", "US-EAST-1", "us-east-1.example.com", "-1"] {
            assert!(region("P", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rds_names_neighbours_by_identifier_and_strangers_by_arn() {
        let arn = Arn::parse("P", ARN).unwrap();
        assert!(arn.is_named("orders", "us-west-2") && arn.is_named(ARN, "us-east-1"));
        assert!(!arn.is_named("orders", "us-east-1"));
        assert!(!arn.is_named("orders-2", "us-west-2"));
    }
}
