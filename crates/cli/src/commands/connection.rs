use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use client::{Client, Options};

use crate::output::Output;

/// How to reach the server, and how to print.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Base URL of the server
    #[arg(
        long,
        global = true,
        env = "POSTBELL_URL",
        default_value = "http://127.0.0.1:8000"
    )]
    url: String,
    /// API key; other users of this machine can see it here, POSTBELL_KEY or a file hides it
    #[arg(long, global = true, value_name = "KEY", conflicts_with = "key_file")]
    key: Option<String>,
    /// File that holds the API key [env: POSTBELL_KEY, POSTBELL_KEY_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// User token (JWT); other users of this machine can see it here, POSTBELL_TOKEN or a file hides it
    #[arg(long, global = true, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,
    /// File that holds the user token [env: POSTBELL_TOKEN, POSTBELL_TOKEN_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// App id
    #[arg(long, global = true, env = "POSTBELL_APP", default_value = "default")]
    app: String,
    /// PEM file of the authorities to trust instead of the system's
    #[arg(long, global = true, value_name = "FILE", env = "POSTBELL_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Time for one call; imports and live streams have their own
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Print JSON for scripts
    #[arg(long, global = true)]
    json: bool,
}

/// An open way to the server and to the reader of the output.
pub struct Connection {
    /// The server.
    pub client: Client,
    /// Print JSON.
    pub json: bool,
    /// Where to print.
    pub output: Output,
}

impl Connection {
    /// Reads the secrets and prepares the client; nothing is sent yet.
    ///
    /// # Errors
    /// An unreadable or empty secret file, an unusable URL, app or certificate file.
    pub fn open(args: ConnectionArgs, output: Output) -> anyhow::Result<Self> {
        let environment = |name: &str| std::env::var(name).ok();
        let options = Options {
            url: args.url,
            key: secret(args.key, args.key_file.as_deref(), "POSTBELL_KEY", environment)?,
            token: secret(
                args.token,
                args.token_file.as_deref(),
                "POSTBELL_TOKEN",
                environment,
            )?,
            app: args.app,
            ca_file: args.ca_file,
            timeout: Duration::from_secs(args.timeout),
        };
        Ok(Self {
            client: Client::new(options)?,
            json: args.json,
            output,
        })
    }
}

/// The first that is given: flag, file flag, `NAME`, `NAME_FILE`. Kept out of clap's `env`, where a key in
/// the environment would go before a file on the command line.
fn secret(
    flag: Option<String>,
    file: Option<&Path>,
    name: &str,
    environment: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<String>> {
    if flag.is_some() {
        return Ok(flag);
    }
    if let Some(file) = file {
        return read(file).map(Some);
    }
    if let Some(value) = environment(name).filter(|value| !value.is_empty()) {
        return Ok(Some(value));
    }
    match environment(&format!("{name}_FILE")).filter(|file| !file.is_empty()) {
        Some(file) => read(Path::new(&file)).map(Some),
        None => Ok(None),
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let secret = text.trim();
    anyhow::ensure!(
        !secret.is_empty(),
        "{} is empty: expected a key or token",
        file.display()
    );
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests;
