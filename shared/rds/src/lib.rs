//! What the RDS resource types share: the ARN of a DB instance, one look at it, and what its status
//! words mean.

mod arn;
mod instance;
mod status;

pub use arn::{Arn, account_of, id_of};
pub use instance::{Instance, describe};
pub use status::{Health, health};
