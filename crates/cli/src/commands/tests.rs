use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::{CommandFactory as _, Parser};
use client::stub::Stub;
use client::{Client, Options};

use super::connection::Connection;
use super::{ClientCommand, settle};
use crate::output::{Closed, Output};

/// What a command printed.
#[derive(Clone, Default)]
pub struct Captured {
    results: Arc<Mutex<Vec<u8>>>,
    notes: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    pub fn output(&self) -> Output {
        Output::to(self.results.clone(), self.notes.clone())
    }

    pub fn connection(&self, stub: &Stub, json: bool) -> Connection {
        let options = Options {
            url: stub.url.clone(),
            ..Options::default()
        };
        Connection {
            client: Client::new(options).unwrap(),
            json,
            output: self.output(),
        }
    }

    pub fn results(&self) -> String {
        String::from_utf8(self.results.lock().unwrap().clone()).unwrap()
    }

    pub fn notes(&self) -> String {
        String::from_utf8(self.notes.lock().unwrap().clone()).unwrap()
    }

    /// The exit status of an outcome; its error is among the notes.
    pub fn exit(&self, outcome: anyhow::Result<ExitCode>) -> u8 {
        let code = format!("{:?}", settle(outcome, &self.output()));
        (0..=255)
            .find(|status| format!("{:?}", ExitCode::from(*status)) == code)
            .unwrap()
    }
}

/// Takes this many bytes, then its reader goes away.
struct Head(usize);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug, Parser)]
struct Program {
    #[command(subcommand)]
    command: ClientCommand,
}

pub fn parse(words: &[&str]) -> Result<ClientCommand, clap::Error> {
    let words = std::iter::once("postbell").chain(words.iter().copied());
    Program::try_parse_from(words).map(|program| program.command)
}

#[test]
fn the_command_line_is_consistent() {
    Program::command().debug_assert();
}

#[test]
fn connection_options_stand_before_and_after_a_nested_command() {
    for words in [
        ["inbox", "--url", "http://127.0.0.1:1", "--json", "list"],
        ["inbox", "list", "--url", "http://127.0.0.1:1", "--json"],
    ] {
        let command = parse(&words).unwrap();
        let ClientCommand::Inbox(call) = command else {
            panic!("{words:?}")
        };
        let connection = Connection::open(call.connection, Captured::default().output()).unwrap();
        assert!(connection.json);
        assert_eq!(connection.client.url(), "http://127.0.0.1:1");
    }
}

#[test]
fn wrong_usage_is_refused() {
    for words in [
        &["publish", "news"][..],
        &["publish", "news", "x", "--header", "no-value"],
        &["publish", "news", "x", "--at", "tomorrow"],
        &["publish", "news", "x", "--every", "1500ms"],
        &["publish", "news", "x", "--every", "1m", "--cron", "* * * * *"],
        &["publish", "news", "x", "--timezone", "UTC"],
        &["publish", "news", "x", "--times", "0"],
        &["schedules"],
        &["schedules", "cancel"],
        &["schedules", "edit", "x", "--times", "0"],
        &["schedules", "edit", "x", "--raw"],
        &["retract"],
        &["import"],
        &["import", "f", "--batch", "0"],
        &["subscribe", "news", "--count", "0"],
        &["status", "x", "--key", "a", "--key-file", "b"],
        &["sample-campaign"],
    ] {
        assert_eq!(parse(words).unwrap_err().exit_code(), 2, "{words:?}");
    }
}

#[test]
fn every_command_documents_its_exit_status() {
    fn leaves(command: &clap::Command, found: &mut Vec<(String, String)>) {
        if command.get_subcommands().next().is_none() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            found.push((command.get_name().to_owned(), help));
        }
        command
            .get_subcommands()
            .for_each(|command| leaves(command, found));
    }
    let mut found = Vec::new();
    leaves(&Program::command(), &mut found);
    assert_eq!(found.len(), 19);
    for (name, help) in found {
        assert!(help.contains("Exit status: 0"), "{name}: {help}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let captured = Captured::default();
    let output = Output::to(Arc::new(Mutex::new(Head(10))), captured.notes.clone());
    let ClientCommand::SampleCampaign(args) = parse(&["sample-campaign", "--messages", "500"]).unwrap()
    else {
        panic!("not a sample")
    };
    let outcome = super::sample::run(args, &output);
    assert!(outcome.as_ref().unwrap_err().is::<Closed>());
    assert_eq!(captured.exit(outcome), 0);
    assert_eq!(captured.notes(), "");
}

#[tokio::test]
async fn a_failure_is_one_line_with_advice() {
    let captured = Captured::default();
    // Port 9 of the loopback: nobody listens there.
    let command = parse(&["status", "x", "--url", "http://127.0.0.1:9"]).unwrap();
    let outcome = super::dispatch(command, &captured.output()).await;
    assert_eq!(captured.exit(outcome), 1);
    let notes = captured.notes();
    assert!(
        notes.starts_with("error: no complete answer from http://127.0.0.1:9: "),
        "{notes}"
    );
    assert!(
        notes.contains("refused") && notes.contains("is the server running"),
        "{notes}"
    );
    assert_eq!(notes.lines().count(), 1);
}
