use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use engine::Engine;
use engine::system::SystemIds;
use model::app::AppId;
use model::settings::AppSettings;
use model::time::manual::ManualClock;
use model::time::{Clock, Timer};
use server::addressing::ServerHooks;
use server::serve::options::ServeOptions;
use server::serve::{self, Listener};
use store::SharedStore;
use store_sqlite::{Durability, Role, SqliteOptions, SqliteStore};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::{App, JWT_SECRET};
use crate::clock;
use crate::faults::FaultyStore;
use crate::soon;

type Change<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

/// How a server is set up; what is not said is as in production, but over plain HTTP, without flushes to
/// disk, with the clock standing still and the built-in timers off.
#[derive(Clone)]
pub struct Builder {
    settings: server::Settings,
    engine: engine::Options,
    durability: Durability,
    serve: Change<ServeOptions>,
    app: Change<AppSettings>,
    wall_clock: bool,
    movable: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: server::Settings::default(),
            engine: engine::Options::default(),
            durability: Durability::Off,
            serve: Arc::new(|_| {}),
            app: Arc::new(|_| {}),
            wall_clock: false,
            movable: false,
        }
    }
}

impl Builder {
    /// What handlers go by.
    pub fn settings(mut self, settings: server::Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The bounds of the node.
    pub fn engine(mut self, change: impl FnOnce(&mut engine::Options)) -> Self {
        change(&mut self.engine);
        self
    }

    /// The limits of the edge.
    pub fn serve(mut self, change: impl Fn(&mut ServeOptions) + Send + Sync + 'static) -> Self {
        self.serve = Arc::new(change);
        self
    }

    /// The settings of the app `default`.
    pub fn app(mut self, change: impl Fn(&mut AppSettings) + Send + Sync + 'static) -> Self {
        self.app = Arc::new(change);
        self
    }

    /// Flushes every commit, as in production.
    pub fn durable(mut self) -> Self {
        self.durability = Durability::Full;
        self
    }

    /// Goes by the machine's clock; [`Server::clock`] then moves nothing.
    pub fn wall_clock(mut self) -> Self {
        self.wall_clock = true;
        self
    }

    /// Lets requests move the clock, as `serve --dev --clock manual` does (api.md 5).
    pub fn manual_clock(mut self) -> Self {
        self.movable = true;
        self
    }

    /// Starts the server in a folder of its own.
    pub async fn start(self) -> Server {
        let folder = TempDir::new().unwrap();
        Server::start_in(self, folder, Arc::new(clock::manual())).await
    }
}

/// A running server. Dropping it gives everything up at once; [`Server::stop`] checks that it ends well.
pub struct Server {
    /// The clock that it goes by.
    pub clock: Arc<ManualClock>,
    /// The engine behind the routes.
    pub engine: Arc<Engine>,
    /// The store, as a command beside the server would use it.
    pub store: SharedStore,
    /// Makes the store fail.
    pub faults: Arc<FaultyStore>,
    /// Where it listens.
    pub address: SocketAddr,
    /// A client with its own connections. It follows no redirects and uses no proxy.
    pub http: reqwest::Client,
    builder: Builder,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), serve::Error>>,
    folder: TempDir,
}

impl Server {
    /// Starts a server with the app `default`, which accepts tokens of [`JWT_SECRET`].
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// For what is to be different.
    pub fn builder() -> Builder {
        Builder::default()
    }

    async fn start_in(builder: Builder, folder: TempDir, manual: Arc<ManualClock>) -> Self {
        let clock: Arc<dyn Clock> = match builder.wall_clock {
            true => Arc::new(engine::system::SystemClock),
            false => Arc::clone(&manual) as _,
        };
        let (sink, feed) = engine::feed::feed();
        let mut options = SqliteOptions::new(folder.path().join("postbell.db"), Role::Server);
        options.durability = builder.durability;
        let store = SqliteStore::open(&options, Arc::clone(&clock), Arc::new(SystemIds), sink).unwrap();
        let store: SharedStore = Arc::new(store);
        ensure_default(&store, &builder, &*clock).await;
        let faults = Arc::new(FaultyStore::new(Arc::clone(&store)));
        let mut bounds = builder.engine.clone();
        if builder.movable {
            bounds.manual_clock = Some(Arc::clone(&manual) as _);
        }
        let engine = Engine::start(
            Arc::clone(&faults) as SharedStore,
            feed,
            clock,
            Arc::new(SystemIds),
            bounds,
        );
        let engine = engine.await.unwrap();

        let settings = Arc::new(builder.settings.clone());
        let state = server::State {
            engine: Arc::clone(&engine),
            settings,
        };
        let router = server::router::router(state.clone());
        let mut options = ServeOptions::new(Arc::new(SystemIds), Arc::new(ServerHooks { state }));
        options.require_https = false;
        (builder.serve)(&mut options);
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let listeners = vec![Listener { socket, tls: None }];
        let running = tokio::spawn(serve::run(listeners, router, options, shutdown.clone()));
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Self {
            clock: manual,
            engine,
            store,
            faults,
            address,
            http: http.build().unwrap(),
            builder,
            shutdown,
            running,
            folder,
        }
    }

    /// The URL of a path, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The app of requests that name none.
    pub async fn default_app(&self) -> App {
        App::find(self, &AppId::default_app()).await
    }

    /// Makes an app that accepts tokens of [`JWT_SECRET`].
    pub async fn create_app(&self, id: &str) -> App {
        self.create_app_with(id, |_| {}).await
    }

    /// Makes an app with settings of its own.
    pub async fn create_app_with(&self, id: &str, change: impl FnOnce(&mut AppSettings)) -> App {
        let mut settings = app_settings();
        change(&mut settings);
        let id: AppId = id.parse().unwrap();
        let made = self
            .store
            .create_app(&id, &settings, self.clock.now())
            .await
            .unwrap();
        assert!(made.is_some(), "there is an app {id} already");
        self.engine.access().refresh().await.unwrap();
        App::find(self, &id).await
    }

    /// Stops as `postbell serve` does at SIGTERM; it must end well and soon.
    pub async fn stop(self) {
        self.end().await;
    }

    /// Stops the server and starts another on the same data, at another port, with the same clock.
    pub async fn restart(self) -> Self {
        let (builder, clock) = (self.builder.clone(), Arc::clone(&self.clock));
        let folder = self.end().await;
        Self::start_in(builder, folder, clock).await
    }

    async fn end(self) -> TempDir {
        let Self {
            engine,
            shutdown,
            running,
            folder,
            ..
        } = self;
        engine.end_streams();
        shutdown.cancel();
        soon("the end of the server", running).await.unwrap().unwrap();
        soon("the end of the engine", engine.stop()).await;
        folder
    }
}

/// What every app of a test starts with.
pub(crate) fn app_settings() -> AppSettings {
    let mut settings = AppSettings::default();
    settings.jwt.secret = Some(model::settings::Secret::new(JWT_SECRET));
    settings.sync.timer = Timer::Off;
    settings.cleanup.timer = Timer::Off;
    settings
}

async fn ensure_default(store: &SharedStore, builder: &Builder, clock: &dyn Clock) {
    let id = AppId::default_app();
    if store.app(&id).await.unwrap().is_some() {
        return;
    }
    let mut settings = app_settings();
    (builder.app)(&mut settings);
    store.create_app(&id, &settings, clock.now()).await.unwrap();
}
