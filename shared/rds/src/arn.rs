//! ARNs of DB instances. Partition, Region and account are checked, never ignored.

use shared::{Error, Result};

/// `arn:<partition>:rds:<region>:<account>:db:<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arn {
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// The instance's Region.
    pub region: String,
    /// The instance's account, twelve digits.
    pub account: String,
    /// DBInstanceIdentifier.
    pub id: String,
}

impl Arn {
    /// Reads an ARN that the manifest gives in `parameter`.
    ///
    /// # Errors
    /// `Dr.InvalidParameters` for anything but the ARN of a DB instance.
    pub fn parse(parameter: &str, text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, "rds", region, account, "db", id]
                if [partition, region, account, id].iter().all(|p| !p.is_empty()) =>
            {
                Ok(Self {
                    partition: (*partition).to_owned(),
                    region: (*region).to_owned(),
                    account: (*account).to_owned(),
                    id: id.to_lowercase(),
                })
            }
            _ => Err(Error::invalid_parameters(format!(
                "parameters.{parameter}: \"{text}\" is not the ARN of a DB instance \
                 (arn:aws:rds:<region>:<account>:db:<identifier>)"
            ))),
        }
    }
}

impl std::fmt::Display for Arn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { partition, region, account, id } = self;
        write!(f, "arn:{partition}:rds:{region}:{account}:db:{id}")
    }
}

/// The identifier in a parameter that may hold an identifier or an ARN. An ARN must name this Region
/// and account. RDS compares identifiers without case.
///
/// # Errors
/// `Dr.InvalidParameters` for a malformed ARN, `Dr.Refused` for one of another Region or account.
pub fn id_of(parameter: &str, text: &str, region: &str, account: &str) -> Result<String> {
    if !text.starts_with("arn:") {
        return Ok(text.to_lowercase());
    }
    let arn = Arn::parse(parameter, text)?;
    if arn.region != region {
        return Err(Error::refused(format!(
            "parameters.{parameter} names an instance in {}, this step works in {region}",
            arn.region
        )));
    }
    account_of(parameter, &arn, account)?;
    Ok(arn.id)
}

/// Refuses an ARN of another account.
///
/// # Errors
/// `Dr.Refused`.
pub fn account_of(parameter: &str, arn: &Arn, account: &str) -> Result<()> {
    if arn.account == account {
        return Ok(());
    }
    Err(Error::refused(format!(
        "parameters.{parameter} names account {}, this step works in account {account}",
        arn.account
    ))
    .next("Correct the ARN, or set accountId of the resource."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:rds:us-west-2:123456789012:db:Orders";

    #[test]
    fn an_arn_must_name_this_region_and_account() {
        let id = |region: &str, account: &str| id_of("P", ARN, region, account);
        assert_eq!(id("us-west-2", "123456789012").unwrap(), "orders");
        assert!(id("us-east-1", "123456789012").is_err());
        assert!(id("us-west-2", "999999999999").is_err());
    }

    #[test]
    fn other_arns_are_no_instances() {
        for wrong in ["arn:aws:rds:us-west-2:1:cluster:x", "orders", "arn:aws:rds:::db:x"] {
            assert!(Arn::parse("P", wrong).is_err(), "{wrong}");
        }
        assert_eq!(Arn::parse("P", ARN).unwrap().to_string(), ARN.to_lowercase());
    }
}
