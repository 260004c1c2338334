/// `schedules list`.
pub mod list;

/// `schedules show`.
pub mod show;

/// `schedules cancel`.
pub mod cancel;

/// `schedules edit`.
pub mod edit;

use std::process::ExitCode;

use super::connection::Connection;

/// Arguments of `schedules`.
#[derive(Debug, clap::Args)]
pub struct SchedulesArgs {
    #[command(subcommand)]
    command: SchedulesCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SchedulesCommand {
    /// List what is published later or repeatedly, and what was lately
    #[command(after_help = list::HELP)]
    List(list::ListArgs),
    /// Show a schedule and what it has published
    #[command(after_help = show::HELP)]
    Show(show::ShowArgs),
    /// End schedules: nothing of them is published any more
    #[command(after_help = cancel::HELP)]
    Cancel(cancel::CancelArgs),
    /// Change when or what a schedule publishes
    #[command(after_help = edit::HELP)]
    Edit(Box<edit::EditArgs>),
}

/// Runs the chosen one.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: SchedulesArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    match args.command {
        SchedulesCommand::List(args) => list::run(args, connection).await,
        SchedulesCommand::Show(args) => show::run(args, connection).await,
        SchedulesCommand::Cancel(args) => cancel::run(args, connection).await,
        SchedulesCommand::Edit(args) => edit::run(*args, connection).await,
    }
}

#[cfg(test)]
mod tests;
