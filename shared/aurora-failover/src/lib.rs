//! Switchover and failover of Aurora global databases.
