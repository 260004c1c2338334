use std::task::{Context, Poll, Waker};

use hub::EndReason;
use model::app::AppKey;

use super::*;

fn channel() -> ChannelKey {
    ChannelKey {
        app: AppKey(1),
        name: "news".parse().unwrap(),
    }
}

fn member(connection: &str, user: Option<&str>) -> Member {
    Member {
        connection: connection.into(),
        user: user.map(Into::into),
    }
}

fn command(text: &str) -> Command {
    Command {
        kind: "note".to_owned(),
        data: JsonText::from_checked(text),
        sender: member("c1", None),
    }
}

/// What waits, in short.
fn taken(mailbox: &Mailbox) -> Vec<(u64, String)> {
    match mailbox.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => Vec::new(),
        Poll::Ready(Err(Overflowed)) => vec![(0, "overflowed".to_owned())],
        Poll::Ready(Ok(notices)) => notices
            .into_iter()
            .map(|(id, notice)| (id.0, short(&notice)))
            .collect(),
    }
}

fn short(notice: &Notice) -> String {
    match notice {
        Notice::Command(command) => command.data.as_str().to_owned(),
        Notice::Users(status) => {
            let mut names: Vec<&str> = status.members.iter().map(|member| &*member.connection).collect();
            names.sort_unstable();
            format!("{:?} {}", status.change, names.join(" "))
        }
        Notice::End(reason) => format!("end {}", reason.code),
    }
}

#[test]
fn a_listener_is_told_who_is_there_who_comes_and_who_goes() {
    let presence = Presence::default();
    let mailbox = Mailbox::new(1_000);
    let first = presence.join(channel(), member("c1", Some("ann"))).unwrap();
    let listening = presence.listen(channel(), Topic::Users, &mailbox, ListenerId(7));
    assert_eq!(taken(&mailbox), [(7, "Listing c1".to_owned())]);

    let second = presence.join(channel(), member("c2", None)).unwrap();
    drop(first);
    let told = taken(&mailbox);
    assert_eq!(
        told,
        [(7, "Connected c2".to_owned()), (7, "Disconnected c1".to_owned())]
    );

    drop(listening);
    drop(second);
    assert_eq!(taken(&mailbox), []);
    assert_eq!(presence.rooms(), 0, "a room is gone with the last one in it");
}

#[test]
fn a_connection_that_joins_twice_comes_once_and_goes_with_its_last() {
    let presence = Presence::default();
    let mailbox = Mailbox::new(1_000);
    let _listening = presence.listen(channel(), Topic::Users, &mailbox, ListenerId(1));
    let first = presence.join(channel(), member("c1", None)).unwrap();
    let second = presence.join(channel(), member("c1", None)).unwrap();
    drop(first);
    assert_eq!(
        taken(&mailbox),
        [(1, "Listing ".to_owned()), (1, "Connected c1".to_owned())]
    );
    drop(second);
    assert_eq!(taken(&mailbox), [(1, "Disconnected c1".to_owned())]);
}

#[test]
fn a_command_reaches_every_listener_of_its_channel_alone() {
    let presence = Presence::default();
    let mailbox = Mailbox::new(1_000);
    let other = ChannelKey {
        app: AppKey(2),
        ..channel()
    };
    let _here = presence.listen(channel(), Topic::Commands, &mailbox, ListenerId(1));
    let _users = presence.listen(channel(), Topic::Users, &mailbox, ListenerId(2));
    let _there = presence.listen(other, Topic::Commands, &mailbox, ListenerId(3));
    assert_eq!(taken(&mailbox), [(2, "Listing ".to_owned())]);
    presence.send(&channel(), command("42"));
    assert_eq!(taken(&mailbox), [(1, "42".to_owned())]);
}

#[test]
fn a_mailbox_that_nobody_reads_is_bounded_and_says_so() {
    let presence = Presence::default();
    let mailbox = Mailbox::new(1_000);
    let _listening = presence.listen(channel(), Topic::Commands, &mailbox, ListenerId(1));
    for _ in 0..100 {
        presence.send(&channel(), command("42"));
    }
    assert_eq!(taken(&mailbox), [(0, "overflowed".to_owned())]);
    mailbox.push(
        ListenerId(1),
        Notice::End(EndReason {
            code: 5007,
            message: "no".into(),
        }),
    );
    assert_eq!(taken(&mailbox), [(0, "overflowed".to_owned())]);
}

#[test]
fn a_channel_takes_a_bounded_number_of_connections() {
    let presence = Presence::default();
    let join = |n: usize| presence.join(channel(), member(&format!("c{n}"), None));
    let joined: Vec<_> = (0..MAX_MEMBERS).map(|n| join(n).unwrap()).collect();
    assert!(matches!(join(MAX_MEMBERS), Err(Error::TooMany { .. })));
    drop(joined);
    assert!(join(0).is_ok());
}
