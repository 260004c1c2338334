use insta::assert_snapshot;

use crate::run::{shown, stdout};

#[test]
fn the_help_lists_every_command() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(stdout(folder.path(), "--help"), @r"
    Messages to channels and personal inboxes, over HTTP

    Usage: postbell <COMMAND>

    Commands:
      serve            Run the server
      config           Check or show the configuration
      app              Make, show, change and delete apps
      key              Make, list and revoke API keys
      token            Make user tokens
      backup           Write a consistent copy of the store to a file, also while the server runs
      restore          Put a backup in the place of the store
      publish          Publish a message to a channel and print its id
      subscribe        Print a channel's messages as they come, until Ctrl-C
      status           Tell where a message stands
      schedules        List, show, cancel and change what is published later or repeatedly
      import           Import personal messages from a campaign file
      inbox            List, show and delete personal messages
      retract          Take personal messages back
      sync             Report deleted messages to the campaign system now
      cleanup          Remove synced, retracted and expired messages now
      sample-campaign  Print a made-up campaign file, for trying out `import`
      completions      Print completions for a shell
      man              Write man pages, one for each command
      help             Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Examples:
      postbell serve --dev
      postbell publish news 'Hello there' --key-file app.key
      postbell key create --preset campaign --name campaigns
      postbell config check --config postbell.toml

    Exit status: 0 success, 1 failure, 2 wrong usage; `import` and `retract` have one more.
    Settings: `postbell config print` shows every one with its value and where it came from.
    ");
    assert_snapshot!(stdout(folder.path(), "serve --help"), @r"
    Run the server

    Usage: postbell serve [OPTIONS]

    Options:
          --dev                 Development mode: plain HTTP on the loopback, keys and a token secret
                                made and printed
          --clock <CLOCK>       Time to go by; manual, with --dev alone: it stands until POST
                                /admin/v1/clock/advance moves it [default: wall] [possible values: wall,
                                manual]
          --listen <ADDR:PORT>  Address to listen on, may be repeated; port 0 takes a free one [env:
                                POSTBELL_LISTEN]
      -h, --help                Print help

    Configuration:
          --config <FILE>  Configuration file (TOML) [env: POSTBELL_CONFIG]
          --data <DIR>     Data folder [env: POSTBELL_DATA] [default: ./postbell-data]
          --store <URL>    Store: sqlite: (in the data folder) or sqlite:PATH [env: POSTBELL_STORE]

    Examples:
      postbell serve --dev
      postbell serve --config /etc/postbell.toml
      postbell serve --dev --listen 127.0.0.1:0 --data /tmp/postbell

    The first line on stdout tells the address: `listening on http://127.0.0.1:8000`. The log goes to
    stderr; POSTBELL_LOG or RUST_LOG filters it (for example POSTBELL_LOG=debug).
    --clock manual moves the server's time alone; the other commands go by the wall clock. Give `publish
    --at` and `key create --expires` the time itself, and `token mint` a long --ttl, e.g. 3650d.
    SIGTERM and Ctrl-C finish what runs and stop within 10 s; a second one stops at once.
    Exit status: 0 stopped when asked to, 1 failure, 2 wrong usage.
    ");
}

#[test]
fn the_version_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        stdout(folder.path(), "--version"),
        format!("postbell {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn wrong_usage_is_told_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(folder.path(), "key create --name x"), @r"
    $ postbell key create --name x
    --- stderr
    error: the following required arguments were not provided:
      <--preset <PRESET>|--scope <SCOPE>>

    Usage: postbell key create --name <NAME> <--preset <PRESET>|--scope <SCOPE>>

    For more information, try '--help'.
    --- exit 2
    ");
    assert_snapshot!(shown(folder.path(), "key create --name x --preset app --scope publish"), @r"
    $ postbell key create --name x --preset app --scope publish
    --- stderr
    error: the argument '--preset <PRESET>' cannot be used with '--scope <SCOPE>'

    Usage: postbell key create --name <NAME> <--preset <PRESET>|--scope <SCOPE>>

    For more information, try '--help'.
    --- exit 2
    ");
    assert_snapshot!(shown(folder.path(), "key create --name x --scope fly"), @r#"
    $ postbell key create --name x --scope fly
    --- stderr
    error: invalid value 'fly' for '--scope <SCOPE>': expected one of publish, schedule, subscribe, import, sync, cleanup, inbox, admin, found "fly"

    For more information, try '--help'.
    --- exit 2
    "#);
    assert_snapshot!(shown(folder.path(), "app create messages"), @r#"
    $ postbell app create messages
    --- stderr
    error: invalid value 'messages' for '<NAME>': the app id "messages" is reserved

    For more information, try '--help'.
    --- exit 2
    "#);
    assert_snapshot!(shown(folder.path(), "serv"), @r"
    $ postbell serv
    --- stderr
    error: unrecognized subcommand 'serv'

      tip: a similar subcommand exists: 'serve'

    Usage: postbell <COMMAND>

    For more information, try '--help'.
    --- exit 2
    ");
}

#[test]
fn completions_name_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(folder.path(), &format!("completions {shell}"));
        assert!(
            text.contains("sample-campaign") && text.contains("revoke"),
            "{shell}: {text}"
        );
    }
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    stdout(folder.path(), "man pages");
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_snapshot!(names.join("\n"), @r"
    postbell-app-create.1
    postbell-app-delete.1
    postbell-app-list.1
    postbell-app-set.1
    postbell-app-show.1
    postbell-app.1
    postbell-backup.1
    postbell-cleanup.1
    postbell-completions.1
    postbell-config-check.1
    postbell-config-print.1
    postbell-config.1
    postbell-import.1
    postbell-inbox-count.1
    postbell-inbox-delete-all.1
    postbell-inbox-delete.1
    postbell-inbox-list.1
    postbell-inbox-read.1
    postbell-inbox-show.1
    postbell-inbox-watch.1
    postbell-inbox.1
    postbell-key-create.1
    postbell-key-list.1
    postbell-key-revoke.1
    postbell-key.1
    postbell-man.1
    postbell-publish.1
    postbell-restore.1
    postbell-retract.1
    postbell-sample-campaign.1
    postbell-schedules-cancel.1
    postbell-schedules-edit.1
    postbell-schedules-list.1
    postbell-schedules-show.1
    postbell-schedules.1
    postbell-serve.1
    postbell-status.1
    postbell-subscribe.1
    postbell-sync.1
    postbell-token-mint.1
    postbell-token.1
    postbell.1
    ");
    let page = std::fs::read_to_string(folder.path().join("pages/postbell-key-create.1")).unwrap();
    assert!(page.contains("postbell key create"), "{page}");
    assert!(page.contains("from") && page.contains("Examples"), "{page}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("postbell");
    // `head` ends after a line; `pipefail` shows the exit code of the left side.
    let line = format!(
        "set -o pipefail; {} config print | head -n 1 > /dev/null",
        binary.display()
    );
    let status = std::process::Command::new("bash")
        .args(["-c", &line])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
}
