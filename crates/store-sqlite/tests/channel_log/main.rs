//! The channel log over files: what is left after a crash, what is removed, backups, who may open.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod backup;
#[path = "../support/fakes.rs"]
mod fakes;
mod model_test;
mod opening;
mod readers;
mod recovery;
mod retention;
mod world;
