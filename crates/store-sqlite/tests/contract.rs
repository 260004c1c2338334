//! The contract suite of the storage port over SQLite files.

mod support;

use support::make_store;

store::contract_tests!(make_store);
