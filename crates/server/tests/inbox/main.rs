//! The inbox over real sockets (api.md 4).

mod access;
mod answers;
mod cleanup;
mod import;
mod import_bodies;
mod interrupted;
mod list;
mod retract;
mod support;
mod sync;
