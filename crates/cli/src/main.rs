//! The binary `postbell`: configuration, wiring and life cycle of the server, and every command.
//!
//! This crate alone knows a concrete store and how the parts are put together; rules of channels,
//! inboxes and access belong to the engine.
//!
//! # Layout
//!
//! - [`cli`]: the command line.
//! - [`config`]: file, environment and flags.
//! - [`serve`]: the server's life.
//! - [`admin`]: commands on the store: apps, keys, tokens, backup.
//! - [`commands`]: commands that talk to a server.
//! - [`manual`]: completions and man pages.
//! - [`output`]: what is printed.

mod admin;
/// The command line.
mod cli;
mod commands;
mod config;
/// Completions and man pages.
mod manual;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::output::{Closed, Output};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything that could make a TLS configuration; it fails only where one is there already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let output = Output::standard();
    match cli::run(Cli::parse(), &output) {
        Ok(code) => code,
        Err(error) if error.chain().any(|cause| cause.is::<Closed>()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, &output);
            ExitCode::FAILURE
        }
    }
}

/// An error as one line; the problems of a configuration as one line each.
fn report(error: &anyhow::Error, output: &Output) {
    match error.downcast_ref::<config::Problems>() {
        Some(config::Problems(problems)) => {
            for problem in problems {
                output.note(&format!("error: {}", output::plain(&problem.to_string())));
            }
        }
        None => output.note(&format!("error: {}", output::describe(error))),
    }
}
