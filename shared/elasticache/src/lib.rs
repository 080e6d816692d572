//! What the ElastiCache resource types share.
