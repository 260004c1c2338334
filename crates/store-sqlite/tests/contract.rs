//! The contract suite of the storage port over SQLite files.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use support::{make_store, make_store_with_clock};

store::contract_tests!(make_store);
store::contract_tests_with_clock!(make_store_with_clock);
