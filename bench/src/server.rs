use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A server in a process of its own; ends with the value.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Keys and secret of a `serve --dev`.
    pub dev: Option<Dev>,
    _data: Option<tempfile::TempDir>,
}

/// What `serve --dev` writes for scripts.
#[derive(Deserialize)]
pub struct Dev {
    /// One key per preset.
    pub keys: Keys,
    /// Of the app `default`.
    pub jwt_secret: String,
}

/// One key per preset.
#[derive(Deserialize)]
pub struct Keys {
    /// May import.
    pub campaign: String,
    /// May publish and subscribe.
    pub app: String,
    /// May do that and schedule.
    #[serde(default)]
    pub client: String,
}

impl Server {
    /// Starts `postbell serve --dev` over a fresh data folder; `config` is more TOML.
    pub async fn postbell(config: &str) -> anyhow::Result<Self> {
        let data = tempfile::tempdir_in(".")?;
        fs::write(data.path().join("bench.toml"), config)?;
        Self::postbell_over(data).await
    }

    /// Ends the server without any warning; what it kept.
    pub async fn kill(mut self) -> anyhow::Result<tempfile::TempDir> {
        self.child.kill().await?;
        self._data.take().context("this server has no data")
    }

    /// Starts `postbell serve --dev` over the data of one that was killed.
    pub async fn postbell_over(data: tempfile::TempDir) -> anyhow::Result<Self> {
        let file = data.path().join("bench.toml");
        let mut command = Command::new(binary("postbell")?);
        command
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path().join("data"));
        command.arg("--config").arg(&file).env("POSTBELL_LOG", "warn");
        let mut server = Self::start(command).await?;
        let dev = fs::read_to_string(data.path().join("data/dev.json")).context("dev.json")?;
        server.dev = Some(serde_json::from_str(&dev)?);
        server._data = Some(data);
        Ok(server)
    }

    /// Starts `postbell serve` with TLS over a fresh data folder.
    pub async fn postbell_tls(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let data = tempfile::tempdir_in(".")?;
        let folder = data.path().join("data");
        let mut command = Command::new(binary("postbell")?);
        command
            .args([
                "key", "create", "--preset", "app", "--name", "app", "--json", "--data",
            ])
            .arg(&folder);
        let made = command.output().await?;
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).context("key create")?;
        let app = made["key"].as_str().context("key create")?.to_owned();
        let mut command = Command::new(binary("postbell")?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .env("POSTBELL_LOG", "warn");
        command
            .env("POSTBELL_TLS__CERT", certificate)
            .env("POSTBELL_TLS__KEY", key);
        let mut server = Self::start(command).await?;
        let keys = Keys {
            campaign: String::new(),
            app,
            client: String::new(),
        };
        server.dev = Some(Dev {
            keys,
            jwt_secret: String::new(),
        });
        server._data = Some(data);
        Ok(server)
    }

    /// Starts nginx with nchan, as one process, with its files in a folder of its own.
    pub async fn nchan() -> anyhow::Result<Self> {
        let (nginx, module) = nginx().context("nginx with nchan is not installed")?;
        let folder = tempfile::tempdir_in(".")?;
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let prefix = folder.path().canonicalize()?;
        let config = include_str!("nchan.conf")
            .replace("MODULE", &module.display().to_string())
            .replace("ADDRESS", &address.to_string());
        fs::create_dir(prefix.join("temp"))?;
        fs::write(prefix.join("nginx.conf"), config)?;
        let mut command = Command::new(nginx);
        command
            .arg("-p")
            .arg(&prefix)
            .arg("-c")
            .arg(prefix.join("nginx.conf"));
        command.args(["-e", "error.log"]);
        let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn()?;
        let mut tries = 0;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tries += 1;
            anyhow::ensure!(tries < 100, "nginx does not listen on {address}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self {
            child,
            address,
            dev: None,
            _data: Some(folder),
        })
    }

    /// Starts the handler that answers at once.
    pub async fn bare() -> anyhow::Result<Self> {
        let mut command = Command::new(binary("postbell-bench")?);
        command.arg("bare");
        Self::start(command).await
    }

    /// Starts the loop that only writes to readers.
    pub async fn only_writes() -> anyhow::Result<Self> {
        let mut command = Command::new(binary("postbell-bench")?);
        command.arg("loop");
        Self::start(command).await
    }

    /// Starts the handler that answers once the body is on disk.
    pub async fn least() -> anyhow::Result<Self> {
        let mut command = Command::new(binary("postbell-bench")?);
        command.args(["bare", "--durable"]);
        Self::start(command).await
    }

    async fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await??;
        let first = first.context("the server ended before it listened")?;
        let address = first.rsplit("//").next().unwrap_or_default();
        let address = address.parse().with_context(|| format!("first line: {first}"))?;
        // Whatever else it prints must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            child,
            address,
            dev: None,
            _data: None,
        })
    }

    /// Keys and secret.
    pub fn dev(&self) -> anyhow::Result<&Dev> {
        self.dev.as_ref().context("this server has no keys")
    }

    /// Processor time so far, in seconds.
    pub fn cpu(&self) -> anyhow::Result<f64> {
        Ok(self.ticks(11)? + self.kernel()?)
    }

    /// The part of it that was spent in the kernel.
    pub fn kernel(&self) -> anyhow::Result<f64> {
        self.ticks(12)
    }

    fn ticks(&self, at: usize) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(self.proc("stat")?)?;
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().nth(at).context("no such field")?;
        Ok(ticks.parse::<f64>()? / 100.0)
    }

    /// How many files and sockets it has open.
    pub fn open_files(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(self.proc("fd")?)?.count())
    }

    /// Resident memory now, in KiB.
    pub fn rss(&self) -> anyhow::Result<f64> {
        self.status("VmRSS:")
    }

    /// Resident memory that is no file's, in KiB.
    pub fn anonymous(&self) -> anyhow::Result<f64> {
        self.status("RssAnon:")
    }

    /// The most resident memory so far, in KiB.
    pub fn peak_rss(&self) -> anyhow::Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> anyhow::Result<f64> {
        let status = fs::read_to_string(self.proc("status")?)?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .context("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    fn proc(&self, file: &str) -> anyhow::Result<PathBuf> {
        let pid = self.child.id().context("the server has ended")?;
        Ok(Path::new("/proc").join(pid.to_string()).join(file))
    }
}

/// nginx and its module nchan: those of the system, or those that `bench/run` has unpacked.
pub fn nginx() -> Option<(PathBuf, PathBuf)> {
    let unpacked = std::env::current_exe().ok()?.with_file_name("nchan");
    [PathBuf::from("/"), unpacked].into_iter().find_map(|root| {
        let nginx = root.join("usr/sbin/nginx");
        let module = root.join("usr/lib/nginx/modules/ngx_nchan_module.so");
        (nginx.exists() && module.exists()).then_some((nginx, module))
    })
}

/// A binary beside this one.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
