//! The life of a server: opening, wiring, serving, stopping.
//!
//! # Layout
//!
//! - [`apps`]: what the configuration says about apps, written to the store.
//! - [`listeners`]: bound sockets and their certificates.
//! - [`dev`]: what development mode makes and prints.
//! - [`live`]: the limits of live connections.
//! - [`logging`]: the log on stderr.
//! - [`signals`]: what ends the server.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use engine::Engine;
use engine::advance_clock::{Movable, StoredClock};
use engine::feed::feed;
use engine::system::{SystemClock, SystemIds};
use model::time::Clock;
use server::addressing::ServerHooks;
use server::serve::options::ServeOptions;
use server::serve::tls::Tls;
use store::SharedStore;
use store_sqlite::{Role, SqliteOptions, SqliteStore};
use tokio_util::sync::CancellationToken;

use crate::config::settings::{Config, StoreLocation};
use crate::config::{self, Flags, Loaded};
use crate::output::Output;
use listeners::Listeners;
use signals::Signals;

/// Settings of apps.
mod apps;
/// Development mode.
mod dev;
/// Sockets.
mod listeners;
/// Live connections.
mod live;
/// The log.
mod logging;
/// Signals.
mod signals;

/// Examples of `serve`.
pub const HELP: &str = "\
Examples:
  postbell serve --dev
  postbell serve --config /etc/postbell.toml
  postbell serve --dev --listen 127.0.0.1:0 --data /tmp/postbell

The first line on stdout tells the address: `listening on http://127.0.0.1:8000`. The log goes to
stderr; POSTBELL_LOG or RUST_LOG filters it (for example POSTBELL_LOG=debug).
--clock manual moves the server's time alone; the other commands go by the wall clock. Give `publish --at` and \
`key create --expires` the time itself, and `token mint` a long --ttl, e.g. 3650d.
SIGTERM and Ctrl-C finish what runs and stop within 10 s; a second one stops at once.
Exit status: 0 stopped when asked to, 1 failure, 2 wrong usage.";

/// The whole stop takes at most this long (api.md 5); what is not done then is given up.
const STOP_LIMIT: Duration = Duration::from_millis(9_800);

/// Certificate and key from PEM files.
///
/// # Errors
///
/// A file that cannot be read or does not hold what it should.
pub fn load_tls(cert: &Path, key: &Path) -> anyhow::Result<Tls> {
    Tls::load(cert, key).context("cannot use tls.cert and tls.key")
}

/// Runs `serve`, until a signal asks to stop.
///
/// # Errors
///
/// The configuration, the store or an address cannot be used; the server fails or cannot stop in time.
pub async fn run(flags: &Flags, output: &Output) -> anyhow::Result<()> {
    let loaded = config::load(flags)?;
    let config = &loaded.config;
    logging::start(&config.log)?;
    let mut signals = Signals::listen()?;
    let (sink, feed) = feed();
    let StoreLocation::Sqlite(path) = config.store_location()?;
    make_private(&config.data)?;
    let manual_clock = manual_clock(&loaded)?;
    let clock: Arc<dyn Clock> = match &manual_clock {
        Some(clock) => Arc::clone(clock) as _,
        None => Arc::new(SystemClock),
    };
    let store = SqliteStore::open(
        &store_options(config, &path),
        clock.clone(),
        Arc::new(SystemIds),
        sink,
    )
    .with_context(|| format!("cannot open the store {}", path.display()))?;
    let store: SharedStore = Arc::new(store);
    let (listeners, greeting) = match set_up(&store, &loaded, &*clock).await {
        Ok(done) => done,
        Err(error) => {
            // What was written stays; the lock and the threads end in order.
            let _ = store.close().await;
            return Err(error);
        }
    };

    let ids = Arc::new(SystemIds);
    let mut options = engine_options(config);
    options.manual_clock = manual_clock.map(|clock| clock as Arc<dyn Movable>);
    let engine = Engine::start(store, feed, clock, ids, options).await?;
    let state = server::State {
        engine: Arc::clone(&engine),
        settings: Arc::new(server::Settings {
            base_domain: config.base_domain.clone(),
            public_url: config
                .public_url
                .as_deref()
                .map(|url| url.trim_end_matches('/').to_owned()),
            any_origin: loaded.dev,
            realtime: live::realtime_options(config),
            rt: live::rt_options(config),
        }),
    };
    let router = server::router::router(state.clone());
    let options = serve_options(config, state);
    warn_of_plain_http(&loaded, &listeners);
    let addresses = listeners.urls();
    let shutdown = CancellationToken::new();
    let serving = server::serve::run(listeners.into_parts(), router, options, shutdown.clone());
    let mut serving = tokio::spawn(serving);

    // Bound sockets accept from here on: what is printed is true.
    let told: String = addresses
        .iter()
        .map(|url| format!("listening on {url}\n"))
        .collect();
    if let Err(error) = output.bytes(format!("{told}{greeting}").as_bytes()) {
        // A server whose stdout nobody reads any more still serves.
        tracing::info!(reason = %error, "the addresses could not be printed");
    }

    let (version, data) = (env!("CARGO_PKG_VERSION"), config.data.display());
    tracing::info!(version, data.folder = %data, listeners = ?addresses, "serving");

    let ended = tokio::select! {
        ended = &mut serving => Some(ended),
        signal = signals.stop() => {
            tracing::info!(signal, "stopping: finishing what runs; a second signal stops at once");
            None
        }
    };
    let stop = async {
        engine.end_streams();
        shutdown.cancel();
        let ended = match ended {
            Some(ended) => ended,
            None => serving.await,
        };
        engine.stop().await;
        ended
    };
    tokio::select! {
        ended = stop => {
            ended.context("the server has a defect")?.context("the server failed")?;
            tracing::info!("stopped");
            Ok(())
        }
        () = tokio::time::sleep(STOP_LIMIT) => {
            // Everything that was acknowledged is on disk: what is given up are answers.
            tracing::warn!("not everything could be finished in time: what still ran was given up");
            Ok(())
        }
        signal = signals.stop_again() => anyhow::bail!("{signal} a second time: stopped at once"),
    }
}

/// Binds the sockets, writes what the store needs before it is served, and tells what to print about it.
async fn set_up(
    store: &SharedStore,
    loaded: &Loaded,
    clock: &dyn Clock,
) -> anyhow::Result<(Listeners, String)> {
    let listeners = Listeners::bind(&loaded.config)?;
    crate::admin::ensure_default(store).await?;
    apps::write(store, &loaded.apps).await?;
    if !loaded.dev {
        return Ok((listeners, String::new()));
    }
    let data = &loaded.config.data;
    let url = listeners.urls().into_iter().next().unwrap_or_default();
    let app = crate::admin::ensure_default(store).await?;
    let file = dev::prepare(store, app, data, url, clock).await?;
    let app = crate::admin::ensure_default(store).await?;
    let mut greeting = dev::describe(&file, &app, data, clock)?;
    if loaded.manual_clock {
        greeting.push_str(&dev::describe_clock(&file, clock));
    }
    Ok((listeners, greeting))
}

/// The clock of `--clock manual`, which starts at the wall clock and is kept in the data folder.
fn manual_clock(loaded: &Loaded) -> anyhow::Result<Option<Arc<StoredClock>>> {
    if !loaded.manual_clock {
        return Ok(None);
    }
    let path = loaded.config.data.join("manual-clock");
    let clock = StoredClock::open(&path, SystemClock.now())
        .with_context(|| format!("cannot use the manual clock {}", path.display()))?;
    Ok(Some(Arc::new(clock)))
}

/// Makes the data folder, which only its owner can look into: it holds the secrets of apps.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make the folder {}", folder.display()))
}

fn store_options(config: &Config, path: &Path) -> SqliteOptions {
    let mut options = SqliteOptions::new(path, Role::Server);
    options.queue_bytes = config.store.queue_bytes;
    options.batch_bytes = config.store.batch_bytes;
    options.batch_jobs = config.store.batch_jobs;
    options.readers = config.store.readers;
    options
}

fn engine_options(config: &Config) -> engine::Options {
    engine::Options {
        imports: config.server.max_imports,
        import_wait: config.server.import_wait.0,
        ring_messages: config.hub.ring_messages,
        ring_bytes: config.hub.ring_bytes,
        page_cache_bytes: config.hub.page_cache_bytes,
        concurrent_reads: config.hub.concurrent_reads,
        ..engine::Options::default()
    }
}

fn serve_options(config: &Config, state: server::State) -> ServeOptions {
    let server = &config.server;
    let mut options = ServeOptions::new(Arc::new(SystemIds), Arc::new(ServerHooks { state }));
    options.max_connections = server.max_connections;
    options.first_byte_timeout = server.first_byte_timeout.0;
    options.tls_handshake_timeout = server.tls_handshake_timeout.0;
    options.header_read_timeout = server.header_read_timeout.0;
    options.body_idle_timeout = server.body_idle_timeout.0;
    options.write_stall_timeout = server.write_stall_timeout.0;
    options.max_header_bytes = server.max_header_bytes;
    options.http2_max_streams = server.http2_max_streams;
    options.tls_reload_interval = server.tls_reload_interval.0;
    options.stop_timeout = server.stop_timeout.0;
    options.trusted_proxies = config.proxies();
    options.require_https = config.require_https;
    options
}

fn warn_of_plain_http(loaded: &Loaded, listeners: &Listeners) {
    let config = &loaded.config;
    if config.require_https && !listeners.have_tls() && config.trusted_proxies.is_empty() {
        tracing::warn!(
            "every request will be answered with 403: require_https is on, and there is neither tls.cert and tls.key \
             nor a proxy in trusted_proxies; set one of them, or require_https = false, or start with --dev"
        );
    }
}
