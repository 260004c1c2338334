//! The binary as a user meets it: stdout, stderr and exit code of commands.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod backup;
mod config;
mod help;
mod run;
