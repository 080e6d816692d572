//! Names of replication groups and global datastores as manifests write them. Partition, Region and
//! account of an ARN are checked, never ignored.

use shared::{Error, Result};

/// `arn:<partition>:elasticache:<region>:<account>:replicationgroup:<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupArn {
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// Its Region.
    pub region: String,
    /// Its account, twelve digits.
    pub account: String,
    /// ReplicationGroupId, in lower case as ElastiCache keeps it.
    pub id: String,
}

impl GroupArn {
    /// Reads an ARN of a replication group.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for anything else.
    pub fn parse(parameter: &str, text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "elasticache", region, account, "replicationgroup", id] =
            parts.as_slice()
        else {
            return Err(no_arn(parameter, text, "replication group"));
        };
        if !is_region(region) || !is_account(account) || !partition.starts_with("aws") {
            return Err(no_arn(parameter, text, "replication group"));
        }
        Ok(Self {
            partition: (*partition).to_owned(),
            region: (*region).to_owned(),
            account: (*account).to_owned(),
            id: identifier(parameter, id, 40)?,
        })
    }

    /// `orders in us-west-2`.
    pub fn label(&self) -> String {
        format!("{} in {}", self.id, self.region)
    }

    /// What a plan calls the fact that the group is in no global datastore: one step brings it
    /// about, a later one builds on it.
    pub fn standalone(&self) -> String {
        format!("elasticache:standalone:{self}")
    }
}

impl std::fmt::Display for GroupArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { partition, region, account, id } = self;
        write!(f, "arn:{partition}:elasticache:{region}:{account}:replicationgroup:{id}")
    }
}

/// Where a step works: what every ARN that it is given must say.
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
    /// The replication group that a parameter names by id or ARN.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for a malformed name, `Dr.Refused` for an ARN of another place.
    pub fn group(&self, parameter: &str, text: &str) -> Result<GroupArn> {
        let Self { partition, region, account } = self.clone();
        if !text.starts_with("arn:") {
            let id = identifier(parameter, text, 40)?;
            return Ok(GroupArn { partition, region, account, id });
        }
        let arn = GroupArn::parse(parameter, text)?;
        same(parameter, "Region", &arn.region, &region)?;
        same(parameter, "account", &arn.account, &account)?;
        same(parameter, "partition", &arn.partition, &partition)?;
        Ok(arn)
    }

    /// The global datastore that a parameter names by its full id or its ARN, which has no Region.
    ///
    /// # Errors
    /// As [`Place::group`].
    pub fn datastore(&self, parameter: &str, text: &str) -> Result<String> {
        let wrong = || no_arn(parameter, text, "global datastore");
        let id = match text.split(':').collect::<Vec<_>>().as_slice() {
            ["arn", partition, "elasticache", "", account, "globalreplicationgroup", id] => {
                same(parameter, "account", account, &self.account)?;
                same(parameter, "partition", partition, &self.partition)?;
                *id
            }
            [id] => *id,
            _ => return Err(wrong()),
        };
        let id = identifier(parameter, id, 69)?;
        if suffix(&id).is_some() {
            return Ok(id);
        }
        Err(Error::invalid_parameters(format!(
            "parameters.{parameter}: \"{text}\" is not the full id of a global datastore, which \
             begins with a prefix of the Region it was made in, for example ldgnf-orders"
        )))
    }
}

fn same(parameter: &str, what: &str, said: &str, wanted: &str) -> Result<()> {
    if said == wanted {
        return Ok(());
    }
    let text = format!(
        "parameters.{parameter} is an ARN of {what} {said}, but the step works in {wanted}"
    );
    Err(Error::refused(text).next(match what {
        "account" => "Correct the ARN, or set the resource's accountId.",
        _ => "Correct the ARN, or the Region beside it.",
    }))
}

fn no_arn(parameter: &str, text: &str, noun: &str) -> Error {
    let text = format!("parameters.{parameter}: \"{text}\" is not the id or the ARN of a {noun}");
    Error::invalid_parameters(text)
}

/// What comes behind the Region's prefix of a global datastore's id; None without a prefix.
pub fn suffix(id: &str) -> Option<&str> {
    let (prefix, rest) = id.split_once('-')?;
    (!prefix.is_empty() && !rest.is_empty()).then_some(rest)
}

/// An identifier by ElastiCache's rules, in lower case: letters, digits and single hyphens, a
/// letter first.
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

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
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

    const ARN: &str = "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:Orders";
    const GLOBAL: &str = "arn:aws:elasticache::123456789012:globalreplicationgroup:ldgnf-orders";

    fn place(partition: &str, region: &str, account: &str) -> Place {
        Place { partition: partition.into(), region: region.into(), account: account.into() }
    }

    fn here() -> Place {
        place("aws", "us-west-2", "123456789012")
    }

    #[test]
    fn an_arn_must_name_this_partition_region_and_account() {
        let found = here().group("P", ARN).unwrap();
        assert_eq!(found.to_string(), ARN.to_lowercase());
        assert_eq!(here().group("P", "orders").unwrap(), found);
        for elsewhere in [
            place("aws", "us-east-1", "123456789012"),
            place("aws", "us-west-2", "999999999999"),
            place("aws-cn", "us-west-2", "123456789012"),
        ] {
            let error = elsewhere.group("P", ARN).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Refused, "{elsewhere:?}");
        }
    }

    #[test]
    fn a_global_datastore_has_no_region_in_its_arn() {
        assert_eq!(here().datastore("P", GLOBAL).unwrap(), "ldgnf-orders");
        assert_eq!(here().datastore("P", "sgaui-Orders").unwrap(), "sgaui-orders");
        let foreign = GLOBAL.replace("123456789012", "999999999999");
        assert_eq!(here().datastore("P", &foreign).unwrap_err().error_type, ErrorType::Refused);
        let china = here().datastore("P", &GLOBAL.replace("aws", "aws-cn")).unwrap_err();
        assert_eq!(china.error_type, ErrorType::Refused);
        assert!(china.message.contains("partition aws-cn, but the step works in aws"), "{china}");
        for wrong in ["orders", "", ARN, "ldgnf-", "ldgnf-a b"] {
            let error = here().datastore("P", wrong).unwrap_err();
            assert_eq!(error.error_type, ErrorType::InvalidParameters, "{wrong}");
        }
    }

    #[test]
    fn other_arns_are_no_replication_groups() {
        for wrong in [
            GLOBAL,
            "arn:aws:rds:us-west-2:123456789012:db:x",
            "arn:aws:elasticache:us-west-2:1:replicationgroup:x",
            "arn:aws:elasticache:us-west-2:123456789012:replicationgroup:1x",
            "arn:aws:elasticache:us-west-2.example.com/:123456789012:replicationgroup:x",
        ] {
            assert!(GroupArn::parse("P", wrong).is_err(), "{wrong}");
            let error = here().group("P", wrong).unwrap_err();
            assert_eq!(error.error_type, ErrorType::InvalidParameters, "{wrong}");
        }
    }

    #[test]
    fn identifiers_and_regions_follow_the_rules() {
        for wrong in ["", "1a", "a--b", "a-", "a_b", "!Import x", &"a".repeat(41)] {
            assert!(identifier("P", wrong, 40).is_err(), "{wrong}");
        }
        for wrong in ["", "us-east", "us-east-1 ", "US-EAST-1", "us-east-1.example.com"] {
            assert!(region("P", wrong).is_err(), "{wrong}");
        }
        assert_eq!(region("P", "us-gov-west-1").unwrap(), "us-gov-west-1");
        assert_eq!(suffix("ldgnf-orders-cache"), Some("orders-cache"));
        assert_eq!(suffix("cache"), None);
    }
}
