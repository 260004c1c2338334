pub mod changes;
pub mod cleanup;
pub mod import;
pub mod list;
pub mod states;
pub mod sync;
