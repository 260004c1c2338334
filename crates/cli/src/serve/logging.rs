use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
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
    let filter = quieted(filter)
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

/// Libraries that write down whole requests, credentials included, at `debug` and below (api.md 2).
const LIBRARIES: [&str; 5] = ["h2", "hyper", "hyper_util", "reqwest", "rustls"];

/// The filter, with what libraries say below `info` left out unless it names them.
fn quieted(text: &str) -> anyhow::Result<EnvFilter> {
    let mut filter = EnvFilter::builder().parse(text)?;
    if filter
        .max_level_hint()
        .is_some_and(|level| level <= LevelFilter::INFO)
    {
        return Ok(filter);
    }
    for library in LIBRARIES.into_iter().filter(|library| !text.contains(library)) {
        filter = filter.add_directive(format!("{library}=info").parse()?);
    }
    Ok(filter)
}

#[cfg(test)]
mod tests;
