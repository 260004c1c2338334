use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use engine::access::token::mint::mint_token;
use engine::system::SystemClock;
use model::app::AppId;
use model::time::parse_duration;
use serde_json::json;

use super::{Missing, StoreArgs, close, open};
use crate::output::Output;

/// `token …`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a user token (JWT) signed with the app's secret and print it
    #[command(after_help = MINT_HELP)]
    Mint(MintArgs),
}

/// Arguments of `token mint`.
#[derive(Debug, clap::Args)]
pub struct MintArgs {
    /// The user id
    #[arg(long, value_name = "USER")]
    sub: String,
    /// A role, may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// How long the token is valid
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = ttl)]
    ttl: Duration,
    /// The app
    #[arg(long, default_value = "default")]
    app: AppId,
    #[command(flatten)]
    store: StoreArgs,
}

const MINT_HELP: &str = "\
Examples:
  postbell token mint --sub alice
  postbell token mint --sub alice --role editor --ttl 24h --app shop

The app needs jwt.secret (HS256, HS384 or HS512).
Output: the token; with --json {\"token\"}.
Exit status: 0 success, 1 failure, 2 wrong usage.";

/// Runs `token mint`.
///
/// # Errors
///
/// The store cannot be used, there is no such app, or it has no secret to sign with.
pub async fn run(command: TokenCommand, output: &Output) -> anyhow::Result<()> {
    let TokenCommand::Mint(args) = command;
    if args.sub.is_empty() {
        bail!("--sub: expected a user id, found nothing");
    }
    let opened = open(&args.store.config, Missing::Refuse).await?;
    let found = super::app(&opened, &args.app).await;
    let app = close(opened, found).await?;
    let token = mint_token(&app.settings.jwt, &args.sub, &args.roles, args.ttl, &SystemClock)
        .with_context(|| format!("cannot make a token for the app {}", app.id))?;
    if args.store.json {
        return output.json(&json!({"token": token}));
    }
    output.line(&token)
}

fn ttl(text: &str) -> Result<Duration, String> {
    match parse_duration(text).map_err(|error| error.to_string())? {
        ttl if ttl < Duration::from_secs(1) => Err("expected at least 1s".to_owned()),
        ttl => Ok(ttl),
    }
}
