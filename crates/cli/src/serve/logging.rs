use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::settings::{LogFormat, LogSettings};

/// Sends the log to stderr. `POSTBELL_LOG`, then `RUST_LOG`, go before `log.level`.
///
/// # Errors
///
/// A filter that is none.
pub fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let from_environment = ["POSTBELL_LOG", "RUST_LOG"].into_iter().find_map(|name| {
        Some((
            name,
            std::env::var(name).ok().filter(|filter| !filter.is_empty())?,
        ))
    });
    let (name, filter) = match &from_environment {
        Some((name, filter)) => (*name, filter),
        None => ("log.level", &settings.level),
    };
    let filter = EnvFilter::builder()
        .parse(filter)
        .with_context(|| format!("{name}: expected a level such as info or a filter, found {filter:?}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let started = match settings.format {
        LogFormat::Text => builder.with_ansi(is_terminal).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    started.context("the log cannot be started")
}
