//! The commands that talk to a server, one file each. Each has `Args` and `run(args, connection)`.

/// `--url`, `--key`, `--token` and the like.
pub mod connection;

/// `publish`.
pub mod publish;

/// Times and repetitions on the command line.
pub mod timing;

/// `schedules list|show|cancel|edit`.
pub mod schedules;

/// `subscribe`.
pub mod subscribe;

/// `status`.
pub mod status;

/// `import`.
pub mod import;

/// `inbox list|show|delete|delete-all`.
pub mod inbox;

/// `retract`.
pub mod retract;

/// `sync`.
pub mod sync;

/// `cleanup`.
pub mod cleanup;

/// `sample-campaign`.
pub mod sample;

use std::process::ExitCode;

use crate::output::{Closed, Output, describe};
use connection::{Connection, ConnectionArgs};

/// Exit status of a command that did its part but not everything: see the command's help.
const PARTLY: u8 = 3;

/// A command that talks to a running server.
#[derive(Debug, clap::Subcommand)]
pub enum ClientCommand {
    /// Publish a message to a channel and print its id
    #[command(after_help = publish::HELP)]
    Publish(Call<publish::PublishArgs>),
    /// Print a channel's messages as they come, until Ctrl-C
    #[command(after_help = subscribe::HELP)]
    Subscribe(Call<subscribe::SubscribeArgs>),
    /// Tell where a message stands
    #[command(after_help = status::HELP)]
    Status(Call<status::StatusArgs>),
    /// List, show, cancel and change what is published later or repeatedly
    Schedules(Call<schedules::SchedulesArgs>),
    /// Import personal messages from a campaign file
    #[command(after_help = import::HELP)]
    Import(Call<import::ImportArgs>),
    /// List, show and delete personal messages
    Inbox(Call<inbox::InboxArgs>),
    /// Take personal messages back
    #[command(after_help = retract::HELP)]
    Retract(Call<retract::RetractArgs>),
    /// Report deleted messages to the campaign system now
    #[command(after_help = sync::HELP)]
    Sync(Call<sync::SyncArgs>),
    /// Remove synced, retracted and expired messages now
    #[command(after_help = cleanup::HELP)]
    Cleanup(Call<cleanup::CleanupArgs>),
    /// Print a made-up campaign file, for trying out `import`
    #[command(after_help = sample::HELP)]
    SampleCampaign(sample::SampleArgs),
}

/// A command's own arguments and those of the connection.
#[derive(Debug, clap::Args)]
pub struct Call<T: clap::Args> {
    #[command(flatten)]
    args: T,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs a command: results on stdout, errors on stderr as one line `error: …`.
///
/// # Errors
/// None today; every failure is reported here and becomes an exit status.
pub async fn run(command: ClientCommand) -> anyhow::Result<ExitCode> {
    let output = Output::standard();
    Ok(settle(dispatch(command, &output).await, &output))
}

/// Turns a command's outcome into an exit status, reporting a failure.
fn settle(outcome: anyhow::Result<ExitCode>, output: &Output) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) if error.is::<Closed>() => ExitCode::SUCCESS,
        Err(error) => {
            output.note(&format!("error: {}", describe(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: ClientCommand, output: &Output) -> anyhow::Result<ExitCode> {
    let connect = |connection: ConnectionArgs| Connection::open(connection, output.clone());
    match command {
        ClientCommand::Publish(call) => publish::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Subscribe(call) => subscribe::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Status(call) => status::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Schedules(call) => schedules::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Import(call) => import::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Inbox(call) => inbox::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Retract(call) => retract::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Sync(call) => sync::run(call.args, &connect(call.connection)?).await,
        ClientCommand::Cleanup(call) => cleanup::run(call.args, &connect(call.connection)?).await,
        ClientCommand::SampleCampaign(args) => sample::run(args, output),
    }
}

#[cfg(test)]
mod tests;
