use proptest::prelude::*;

use super::{Error, Event, Item, Parser};

fn parse(chunks: &[&[u8]]) -> Vec<Item> {
    let mut parser = Parser::default();
    let mut items = Vec::new();
    for chunk in chunks {
        parser.feed(chunk).unwrap();
        items.extend(std::iter::from_fn(|| parser.pop()));
    }
    items
}

fn event(id: &str, event: &str, data: &str) -> Item {
    Item::Event(Event {
        id: id.to_owned(),
        event: event.to_owned(),
        data: data.to_owned(),
    })
}

#[test]
fn fields_comments_and_multi_line_data() {
    let text = b": hello\nid: k-1\nevent: gap\ndata: a\ndata:  b\ndata\nunknown: x\n\ndata:c\n\n";
    assert_eq!(
        parse(&[text]),
        [event("k-1", "gap", "a\n b\n"), event("k-1", "message", "c")]
    );
}

#[test]
fn every_line_end_and_a_byte_order_mark() {
    for end in ["\n", "\r", "\r\n"] {
        let text = format!("\u{FEFF}data: a{end}{end}id: 2{end}data: b{end}{end}");
        assert_eq!(
            parse(&[text.as_bytes()]),
            [event("", "message", "a"), event("2", "message", "b")],
            "{end:?}"
        );
    }
}

#[test]
fn a_crlf_cut_in_two_is_one_line_end() {
    assert_eq!(
        parse(&[b"data: a\r", b"\ndata: b\r", b"", b"\n\r", b"\n"]),
        [event("", "message", "a\nb")]
    );
}

#[test]
fn a_heartbeat_moves_the_position_without_an_event() {
    assert_eq!(
        parse(&[b":\nid: k-7\n\n:\nid: k-7\n\n"]),
        [Item::Position("k-7".to_owned())]
    );
}

#[test]
fn an_unfinished_event_is_not_dispatched() {
    assert_eq!(parse(&[b"id: 9\ndata: lost\n"]), []);
}

#[test]
fn an_id_with_nul_and_a_bad_retry_are_ignored() {
    let mut parser = Parser::default();
    parser
        .feed(b"id: a\0b\nretry: 12x\ndata: 1\n\nretry: 1500\n\n")
        .unwrap();
    assert_eq!(parser.pop(), Some(event("", "message", "1")));
    assert_eq!(parser.retry_ms(), Some(1500));
}

#[test]
fn a_line_and_an_event_are_bounded() {
    let mut parser = Parser::new(100);
    assert_eq!(parser.feed(&[b'x'; 101]), Err(Error::TooLong { limit: 100 }));
    let mut parser = Parser::new(100);
    let line = format!("data: {}\n", "y".repeat(40));
    parser.feed(line.as_bytes()).unwrap();
    parser.feed(line.as_bytes()).unwrap();
    assert_eq!(parser.feed(line.as_bytes()), Err(Error::TooLong { limit: 100 }));
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => Just(b"\n".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        2 => Just(b"\r".to_vec()),
        3 => Just(b"data: ".to_vec()),
        2 => Just(b"id:".to_vec()),
        1 => Just(b"event:".to_vec()),
        1 => Just(b"retry: 5".to_vec()),
        1 => Just(b":".to_vec()),
        1 => Just("\u{FEFF}".as_bytes().to_vec()),
        3 => "[a-zåäö ]{0,6}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..5),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_items(bytes in stream(), cuts in proptest::collection::vec(0usize..300, 0..20)) {
        let whole = parse(&[&bytes]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&parse(&single), &whole);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&parse(&chunks), &whole);
    }

    #[test]
    fn what_a_server_writes_is_what_is_read(
        events in proptest::collection::vec(("[a-z0-9-]{1,8}", "[a-z]{1,8}", "[^\r]{0,30}"), 0..8),
        crlf in any::<bool>(),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = String::new();
        let mut expected = Vec::new();
        for (id, name, data) in &events {
            let data = data.replace('\0', "");
            text.push_str(&format!("id: {id}{end}event: {name}{end}"));
            for line in data.split('\n') {
                text.push_str(&format!("data: {line}{end}"));
            }
            text.push_str(end);
            expected.push(event(id, name, &data));
        }
        prop_assert_eq!(parse(&[text.as_bytes()]), expected);
    }
}
