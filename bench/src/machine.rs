use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

/// What has to be known of a machine to read its figures.
pub fn facts() -> anyhow::Result<Vec<(String, String)>> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("unknown");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    let cores = std::thread::available_parallelism()?;
    let rustc = Command::new("rustc")
        .arg("--version")
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    let commit = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output()
        .map(|output| output.stdout);
    #[expect(
        clippy::disallowed_methods,
        reason = "the date of the report is the wall clock's"
    )]
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok(vec![
        ("Date".into(), date),
        ("Commit".into(), text(commit.unwrap_or_default())),
        (
            "Processor".into(),
            format!("{} × {}", cores, model.trim_start_matches([' ', '\t', ':'])),
        ),
        (
            "Memory".into(),
            format!("{} GiB", memory.unwrap_or(0) / 1024 / 1024),
        ),
        (
            "fdatasync of 4 KiB appended".into(),
            format!("{:.2} ms (median of 200)", flush_millis()?),
        ),
        ("SQLite".into(), rusqlite::version().into()),
        ("Compiler".into(), text(rustc)),
    ])
}

fn flush_millis() -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile().context("a file for the flush test")?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(crate::report::median(times))
}
