/// `inbox list`.
pub mod list;

/// `inbox watch`.
pub mod watch;

/// `inbox read`.
pub mod read;

/// `inbox count`.
pub mod count;

/// `inbox show`.
pub mod show;

/// `inbox delete`.
pub mod delete;

/// `inbox delete-all`.
pub mod delete_all;

use std::process::ExitCode;

use super::connection::Connection;

/// Arguments of `inbox`.
#[derive(Debug, clap::Args)]
pub struct InboxArgs {
    #[command(subcommand)]
    command: InboxCommand,
}

#[derive(Debug, clap::Subcommand)]
enum InboxCommand {
    /// List the token's user's messages, best first
    #[command(after_help = list::HELP)]
    List(list::ListArgs),
    /// Follow the token's user's messages live
    #[command(after_help = watch::HELP)]
    Watch(watch::WatchArgs),
    /// Mark a message of the token's user as read
    #[command(after_help = read::HELP)]
    Read(read::ReadArgs),
    /// Count the token's user's messages
    #[command(after_help = count::HELP)]
    Count(count::CountArgs),
    /// Show a message in any state (key with `inbox`)
    #[command(after_help = show::HELP)]
    Show(show::ShowArgs),
    /// Delete a message: of the token's user, or any (key with `inbox`)
    #[command(after_help = delete::HELP)]
    Delete(delete::DeleteArgs),
    /// Delete all of a user's messages (key with `inbox`)
    #[command(after_help = delete_all::HELP)]
    DeleteAll(delete_all::DeleteAllArgs),
}

/// Runs the chosen one.
///
/// # Errors
/// What the server refuses.
pub async fn run(args: InboxArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    match args.command {
        InboxCommand::List(args) => list::run(args, connection).await,
        InboxCommand::Watch(args) => watch::run(args, connection).await,
        InboxCommand::Read(args) => read::run(args, connection).await,
        InboxCommand::Count(args) => count::run(args, connection).await,
        InboxCommand::Show(args) => show::run(args, connection).await,
        InboxCommand::Delete(args) => delete::run(args, connection).await,
        InboxCommand::DeleteAll(args) => delete_all::run(args, connection).await,
    }
}

#[cfg(test)]
mod tests;
