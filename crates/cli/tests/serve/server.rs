use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server of this build, killed when dropped.
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What its first line says behind `listening on `.
    pub url: String,
    folder: std::path::PathBuf,
}

/// The binary in a folder, without the variables of whoever runs the tests.
pub fn postbell(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("postbell"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// Runs a command line (words apart by spaces) beside whatever runs in the folder.
pub fn run(folder: &Path, line: &str) -> Output {
    postbell(folder).args(line.split_whitespace()).output().unwrap()
}

/// Runs a command that has to succeed and gives its stdout without the final newline.
pub fn stdout(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

impl Server {
    /// `serve --dev` on a free port.
    pub fn dev(folder: &Path) -> Self {
        Self::start(folder, "serve --dev --listen 127.0.0.1:0", &[])
    }

    /// Starts a server and waits for its first line; stderr goes to `stderr.txt` in the folder.
    pub fn start(folder: &Path, line: &str, variables: &[(&str, &str)]) -> Self {
        let stderr = std::fs::File::create(folder.join("stderr.txt")).unwrap();
        let mut child = postbell(folder)
            .args(line.split_whitespace())
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let folder = folder.to_owned();
        let Some(url) = first.strip_prefix("listening on ") else {
            let _ = child.kill();
            let _ = child.wait();
            let stderr = std::fs::read_to_string(folder.join("stderr.txt")).unwrap();
            panic!("the first line is {first:?}; stderr: {stderr}");
        };
        let url = url.trim_end().to_owned();
        Self {
            child,
            stdout,
            url,
            folder,
        }
    }

    /// The next line of its stdout.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> &str {
        self.url.split("://").nth(1).unwrap()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the server does not end: {}",
                self.stderr()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to stop, and sees that it does within the 10 s of api.md 5 and without an error.
    pub fn stop(&mut self) {
        let start = Instant::now();
        self.signal("TERM");
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.stderr());
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "stopping took {:?}",
            start.elapsed()
        );
    }

    /// What it has logged so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.folder.join("stderr.txt")).unwrap()
    }

    /// Its `dev.json`.
    pub fn dev_json(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.folder.join("postbell-data/dev.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// One of its development keys.
    pub fn key(&self, preset: &str) -> String {
        self.dev_json()["keys"][preset].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again, until it is so or the time is over.
pub fn within(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
