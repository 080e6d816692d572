//! What the RDS resource types share: names of DB instances, one look at them, and what their
//! status words mean.

mod arn;
mod instance;
mod limits;
mod status;

pub use arn::{Arn, Place, identifier, region};
pub use instance::{Instance, describe};
pub use limits::{MINUTES, deadline, within};
pub use status::{Health, health, remedy};
