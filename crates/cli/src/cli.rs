use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{self, ClientCommand};
use crate::config::Flags;
use crate::output::Output;
use crate::{admin, config, manual, serve};

/// The command line of `postbell`.
#[derive(Debug, Parser)]
#[command(
    name = "postbell",
    version,
    about = "Messages to channels and personal inboxes, over HTTP",
    after_help = HELP,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Examples:
  postbell serve --dev
  postbell publish news 'Hello there' --key-file app.key
  postbell key create --preset campaign --name campaigns
  postbell config check --config postbell.toml

Exit status: 0 success, 1 failure, 2 wrong usage; `import` and `retract` have one more.
Settings: `postbell config print` shows every one with its value and where it came from.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    #[command(after_help = serve::HELP)]
    Serve(ServeArgs),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(config::command::ConfigCommand),
    /// Make, show, change and delete apps
    #[command(subcommand)]
    App(admin::app::AppCommand),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(admin::key::KeyCommand),
    /// Make user tokens
    #[command(subcommand)]
    Token(admin::token::TokenCommand),
    /// Write a consistent copy of the store to a file, also while the server runs
    #[command(after_help = admin::backup::HELP)]
    Backup(admin::backup::BackupArgs),
    /// Put a backup in the place of the store
    #[command(after_help = admin::restore::HELP)]
    Restore(admin::restore::RestoreArgs),
    #[command(flatten)]
    Client(ClientCommand),
    /// Print completions for a shell
    #[command(after_help = manual::COMPLETIONS_HELP)]
    Completions(manual::CompletionsArgs),
    /// Write man pages, one for each command
    Man(manual::ManArgs),
}

/// Where the configuration is read from and what of it the command line decides.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Configuration file (TOML) [env: POSTBELL_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder [env: POSTBELL_DATA] [default: ./postbell-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Store: sqlite: (in the data folder) or sqlite:PATH [env: POSTBELL_STORE]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl ConfigArgs {
    /// What the command line says about the configuration.
    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            data: self.data.clone(),
            store: self.store.clone(),
            ..Flags::default()
        }
    }
}

/// Arguments of `serve`, and of `config`, which shows what they lead to.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Development mode: plain HTTP on the loopback, keys and a token secret made and printed
    #[arg(long)]
    dev: bool,
    /// Time to go by; manual, with --dev alone: it stands until POST /admin/v1/clock/advance moves it
    #[arg(long, value_enum, value_name = "CLOCK", default_value_t = ClockKind::Wall)]
    clock: ClockKind,
    /// Address to listen on, may be repeated; port 0 takes a free one [env: POSTBELL_LISTEN]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Where the time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    Wall,
    Manual,
}

impl ServeArgs {
    /// What the command line says about the configuration.
    pub fn flags(&self) -> Flags {
        Flags {
            dev: self.dev,
            manual_clock: self.clock == ClockKind::Manual,
            listen: self.listen.clone(),
            ..self.config.flags()
        }
    }
}

/// Runs one command.
///
/// # Errors
///
/// Whatever makes the command fail; the caller prints it.
pub fn run(cli: Cli, output: &Output) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match cli.command {
        Command::Serve(args) => many_threads()?
            .block_on(serve::run(&args.flags(), output))
            .map(done),
        Command::Config(command) => config::command::run(&command, output).map(done),
        Command::App(command) => one_thread()?.block_on(admin::app::run(command, output)).map(done),
        Command::Key(command) => one_thread()?.block_on(admin::key::run(command, output)).map(done),
        Command::Token(command) => one_thread()?
            .block_on(admin::token::run(command, output))
            .map(done),
        Command::Backup(args) => admin::backup::run(&args, output).map(done),
        Command::Restore(args) => admin::restore::run(&args, output).map(done),
        Command::Client(command) => one_thread()?.block_on(commands::run(command)),
        Command::Completions(args) => manual::completions(&args, output).map(done),
        Command::Man(args) => manual::pages(&args, output).map(done),
    }
}

fn many_threads() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start the threads of the server")
}

fn one_thread() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start")
}

#[cfg(test)]
mod tests;
