use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use model::settings::AppSettings;
use rusqlite::{Connection, params};
use store::apps::Apps as _;
use store_sqlite::{Role, SqliteOptions, SqliteStore};

use crate::http1;
use crate::report::{Report, spread};
use crate::server::{Server, binary};

const ROUNDS: usize = 7;

/// Imports over HTTP against the bare insert of the same rows.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "Import",
        "NDJSON over HTTP: received, parsed, validated, durable; against the bare insert of the same rows into a \
         database with the same indexes that grows alike, in one transaction a file. Seconds, medians (lowest–highest).",
        &["messages", "import", "bare insert", "ratio", "peak memory of the server, MB"],
    );
    let server = Server::postbell("").await?;
    let import = post(&server)?;
    let mut bare = Bare::new().await?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let file = file(25_000, 2_500, round as u64 + 1)?;
        let start = Instant::now();
        send(server.address, &import, &file).await?;
        let one = start.elapsed().as_secs_f64();
        let other = bare.insert(&file)?;
        ratios.push(one / other);
        ours.push(one);
        theirs.push(other);
    }
    let peak = format!("{:.0}", server.peak_rss()? / 1024.0);
    report.row(vec![
        "25,000".into(),
        spread(&ours, 3),
        spread(&theirs, 3),
        spread(&ratios, 2),
        peak,
    ]);
    drop(server);

    let server = Server::postbell("").await?;
    let import = post(&server)?;
    let files = million()?;
    let start = Instant::now();
    for file in &files {
        send(server.address, &import, file).await?;
    }
    let one = start.elapsed().as_secs_f64();
    let peak = format!("{:.0}", server.peak_rss()? / 1024.0);
    drop(server);
    let mut bare = Bare::new().await?;
    let mut other = 0.0;
    for file in &files {
        other += bare.insert(file)?;
    }
    report.row(vec![
        "1,000,000 in 40 requests".into(),
        format!("{one:.2}"),
        format!("{other:.2}"),
        format!("{:.2}", one / other),
        peak,
    ]);
    Ok(())
}

/// A campaign file.
pub fn file(messages: usize, users: usize, seed: u64) -> anyhow::Result<Vec<u8>> {
    let output = Command::new(binary("postbell")?)
        .args([
            "sample-campaign",
            "--messages",
            &messages.to_string(),
            "--users",
            &users.to_string(),
        ])
        .args(["--seed", &seed.to_string()])
        .output()?;
    if !output.status.success() {
        bail!("sample-campaign: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

/// 1,000,000 messages of 100,000 users in 40 files.
pub fn million() -> anyhow::Result<Vec<Vec<u8>>> {
    let all = file(1_000_000, 100_000, 99)?;
    let mut files = Vec::new();
    let mut lines = 0;
    let mut current = Vec::new();
    for line in all.split_inclusive(|byte| *byte == b'\n') {
        current.extend_from_slice(line);
        lines += 1;
        if lines == 25_000 {
            files.push(std::mem::take(&mut current));
            lines = 0;
        }
    }
    Ok(files)
}

/// The headers of an import.
pub fn post(server: &Server) -> anyhow::Result<String> {
    let key = &server.dev()?.keys.campaign;
    Ok(format!(
        "content-type: application/json; boundary=NL\r\nx-api-key: {key}\r\n"
    ))
}

/// Sends one file; every message has to be new.
pub async fn send(address: SocketAddr, headers: &str, file: &[u8]) -> anyhow::Result<()> {
    let request = http1::post("/messages/import", headers, file);
    let mut connection = http1::Connection::open(address).await?;
    let (status, body) = connection.call(&request).await?;
    if status != 200 {
        bail!("import: status {status}: {}", String::from_utf8_lossy(body));
    }
    Ok(())
}

/// A database of the same schema without a server, which grows as the server's does.
struct Bare {
    connection: Connection,
    app: i64,
    _folder: tempfile::TempDir,
}

impl Bare {
    async fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(".")?;
        let path = folder.path().join("bare.db");
        let options = SqliteOptions::new(&path, Role::Server);
        let store = SqliteStore::open(
            &options,
            Arc::new(engine::system::SystemClock),
            Arc::new(engine::system::SystemIds),
            engine::feed::feed().0,
        )?;
        let app = model::app::AppId::default_app();
        let app = store
            .create_app(&app, &AppSettings::default(), model::time::UnixMillis(0))
            .await?;
        let app = app.context("app")?.key.0;
        store::Store::close(&store).await?;
        drop(store);
        let connection = Connection::open(&path)?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(Self {
            connection,
            app,
            _folder: folder,
        })
    }

    /// Inserts the messages of a file in one transaction; how many seconds inserts and commit took.
    fn insert(&mut self, file: &[u8]) -> anyhow::Result<f64> {
        let rows: Vec<Row> = file
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .filter(|line| !line.is_empty())
            .map(Row::parse)
            .collect::<anyhow::Result<_>>()?;
        let start = Instant::now();
        let transaction = self.connection.transaction()?;
        insert(&transaction, self.app, &rows)?;
        transaction.commit()?;
        Ok(start.elapsed().as_secs_f64())
    }
}

struct Row {
    id: String,
    uid: String,
    prio: i64,
    clients: String,
    created_at: i64,
    expires_at: i64,
    document: String,
}

impl Row {
    fn parse(line: &[u8]) -> anyhow::Result<Self> {
        let document: serde_json::Map<_, _> = serde_json::from_slice(line)?;
        let millis = |name: &str| -> anyhow::Result<i64> {
            let text = document[name].as_str().context("no text")?;
            Ok(text.parse::<jiff::Timestamp>()?.as_millisecond())
        };
        let clients = document["clients"].as_array().context("clients")?;
        let clients: Vec<&str> = clients.iter().filter_map(|client| client.as_str()).collect();
        let text = |name: &str| document[name].as_str().map(str::to_owned).context("no text");
        Ok(Self {
            id: text("id")?,
            uid: text("uid")?,
            prio: document["prio"].as_i64().context("prio")?,
            clients: clients.join(","),
            created_at: millis("created")?,
            expires_at: millis("expires")?,
            document: std::str::from_utf8(line)?.to_owned(),
        })
    }
}

fn insert(connection: &Connection, app: i64, rows: &[Row]) -> anyhow::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO inbox (app, id, uid, state, prio, created_at, expires_at, clients, read, changed, document)
         VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, 0, 1, ?8)",
    )?;
    for row in rows {
        statement.execute(params![
            app,
            row.id,
            row.uid,
            row.prio,
            row.created_at,
            row.expires_at,
            row.clients,
            row.document,
        ])?;
    }
    Ok(())
}
