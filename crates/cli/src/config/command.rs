use clap::Subcommand;

use super::{load, print};
use crate::cli::ServeArgs;
use crate::output::Output;

/// `config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration that `serve` with the same arguments would run with
    ///
    /// Prints `ok`, or every problem with its place, and then fails.
    #[command(after_help = CHECK_HELP)]
    Check(ServeArgs),
    /// Print every effective value with its source, secrets hidden
    #[command(after_help = PRINT_HELP)]
    Print {
        #[command(flatten)]
        serve: ServeArgs,
        /// Print one JSON object: {"path": {"value", "source"}}
        #[arg(long)]
        json: bool,
    },
}

const CHECK_HELP: &str = "\
Examples:
  postbell config check --config /etc/postbell.toml
  POSTBELL_SYNC_TIMER=5m postbell config check

Exit status: 0 ok, 1 problems (each a line on stderr), 2 wrong usage.";

const PRINT_HELP: &str = "\
Examples:
  postbell config print --dev
  postbell config print --config /etc/postbell.toml --json

Exit status: 0 success, 1 the configuration has problems, 2 wrong usage.";

/// Runs `config check` or `config print`.
///
/// # Errors
///
/// The problems of the configuration.
pub fn run(command: &ConfigCommand, output: &Output) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check(serve) => {
            let loaded = load(&serve.flags())?;
            if let Some((cert, key)) = loaded.config.tls_files() {
                crate::serve::load_tls(cert, key)?;
            }
            output.line("ok")
        }
        ConfigCommand::Print { serve, json } => {
            let loaded = load(&serve.flags())?;
            if *json {
                output.json(&print::as_json(&loaded)?)
            } else {
                output.bytes(print::as_toml(&loaded)?.as_bytes())
            }
        }
    }
}
