use std::path::Path;

use assert_cmd::Command;

/// The binary in a folder of its own, without the variables of whoever runs the tests.
pub fn postbell(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("postbell"));
    command
        .current_dir(folder)
        .env_clear()
        .timeout(std::time::Duration::from_secs(60));
    command
}

/// Runs a command line (words apart by spaces) and shows all that a user sees of it.
pub fn shown(folder: &Path, line: &str) -> String {
    let output = postbell(folder).args(line.split_whitespace()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output
        .status
        .code()
        .map_or("killed".to_owned(), |code| code.to_string());
    let mut shown = format!("$ postbell {line}\n{}", text(&output.stdout));
    if !output.stderr.is_empty() {
        shown.push_str(&format!("--- stderr\n{}", text(&output.stderr)));
    }
    format!("{shown}--- exit {code}\n")
}

/// Runs a command that has to succeed and gives its stdout.
pub fn stdout(folder: &Path, line: &str) -> String {
    let output = postbell(folder).args(line.split_whitespace()).output().unwrap();
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A file in the folder.
pub fn file(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// What differs from run to run, replaced.
pub fn filters() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        "[date]              ".trim_end(),
    );
    settings.add_filter(r"\b[0-9a-f]{32}\b", "[32 hex]");
    settings.add_filter(r"\b[0-9a-f]{16}\b", "[id]");
    settings
}
