use proptest::prelude::*;

use super::*;

/// A document with this id.
fn document(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","uid":"456","created":"2014-11-06T13:34:59+01:00","expires":"2014-11-10T13:34:59+01:00","body":"hörna","clients":["web"],"type":"campaign","prio":35}}"#
    )
}

fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> Result<Parsed, Refused> {
    let clients = ClientTypes::default();
    let mut parser = Parser::new(&clients, limits);
    for piece in pieces {
        parser.feed(piece)?;
    }
    parser.finish()
}

fn whole(body: &[u8]) -> Result<Parsed, Refused> {
    parse([body], &Limits::default())
}

fn ids(parsed: Result<Parsed, Refused>) -> Vec<String> {
    let parsed = parsed.map_err(|refused| refused.to_string()).unwrap();
    parsed
        .messages
        .iter()
        .map(|message| message.id.as_str().to_owned())
        .collect()
}

fn refused(body: &[u8]) -> String {
    whole(body).unwrap_err().to_string()
}

#[test]
fn lines_end_with_either_separator_and_the_last_need_not() {
    let (a, b, c) = (document("a"), document("b"), document("c"));
    for body in [
        format!("{a}\r\n{b}\n{c}"),
        format!("{a}\n{b}\r\n{c}\n"),
        format!("{a}\r\n{b}\r\n{c}\r\n"),
        format!("\n\r\n{a}\n \t\n\n{b}\r\n\r\n{c}\r\n\n"),
        format!("\u{FEFF}{a}\n{b}\n {c} "),
    ] {
        assert_eq!(ids(whole(body.as_bytes())), ["a", "b", "c"], "{body:?}");
    }
}

#[test]
fn a_body_without_a_document_holds_none() {
    for body in ["", "\n", "\r\n\r\n", " ", "\u{FEFF}", "\u{FEFF}\r\n"] {
        assert_eq!(whole(body.as_bytes()), Ok(Parsed::default()), "{body:?}");
    }
}

#[test]
fn lines_are_counted_as_they_stand_in_the_body() {
    let body = format!("\r\n{}\n\n{}\n{{}}\n", document("a"), document("b"));
    assert_eq!(refused(body.as_bytes()), "line 5: id: missing");
    assert_eq!(refused(b"{}"), "line 1: id: missing");
}

#[test]
fn bytes_that_are_no_utf8_are_told_with_their_place() {
    let mut body = document("a").into_bytes();
    body.extend_from_slice(b"\n{\"id\":\"\xE5\"}");
    assert_eq!(
        refused(&body),
        "line 2, column 8: expected UTF-8, found the byte 0xE5"
    );
    // In a field that nobody looks at, too.
    assert_eq!(
        refused(b"{\"x\":\"\xFF\"}"),
        "line 1, column 7: expected UTF-8, found the byte 0xFF"
    );
}

#[test]
fn a_mark_stands_in_front_of_the_first_line_only() {
    let body = format!("{}\n\u{FEFF}{}", document("a"), document("b"));
    assert!(refused(body.as_bytes()).starts_with("line 2: expected one JSON object a line"));
}

#[test]
fn a_document_may_be_as_long_as_the_limit_and_no_longer() {
    let limits = Limits {
        import_document_bytes: document("aa").len(),
        ..Limits::default()
    };
    let at = |body: String| {
        let at_once = parse([body.as_bytes()], &limits);
        assert_eq!(at_once, parse(body.as_bytes().chunks(1), &limits), "{body:?}");
        at_once
    };
    assert_eq!(
        ids(at(format!(
            "{}\r\n{}\n{}",
            document("aa"),
            document("b"),
            document("cc")
        ))),
        ["aa", "b", "cc"]
    );
    let limit = limits.import_document_bytes;
    for long in [
        format!("{}\n", document("aaa")),
        document("aaa"),
        format!("{}\r\n", document("aaa")),
        " ".repeat(500),
    ] {
        let refused = at(format!("\n{long}")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "line 2: at most {limit} bytes in one document, found more; a document ends with its line"
            )
        );
    }
}

#[test]
fn an_endless_line_is_refused_before_it_ends() {
    let clients = ClientTypes::default();
    let limits = Limits::default();
    let mut parser = Parser::new(&clients, &limits);
    let endless = (0..).find(|_| parser.feed(&[b'{'; 1024]).is_err());
    assert_eq!(endless, Some(64));
    assert!(parser.unfinished.capacity() <= 2 * limits.import_document_bytes);
}

#[test]
fn one_document_too_many_is_too_many_and_blank_lines_are_none() {
    let limits = Limits {
        import_messages: 2,
        ..Limits::default()
    };
    let two = format!("{}\n\n{}\n\n\n", document("a"), document("b"));
    assert_eq!(ids(parse([two.as_bytes()], &limits)), ["a", "b"]);
    let three = format!("{two}no json");
    assert_eq!(
        parse([three.as_bytes()], &limits),
        Err(Refused::TooManyMessages { line: 6, limit: 2 })
    );
}

#[test]
fn one_byte_too_many_is_too_many() {
    let body = format!("{}\n", document("a"));
    let limits = Limits {
        import_bytes: body.len(),
        ..Limits::default()
    };
    assert_eq!(ids(parse([body.as_bytes()], &limits)), ["a"]);
    let refused = Err(Refused::TooManyBytes { limit: body.len() });
    assert_eq!(parse([body.as_bytes(), b"\n"], &limits), refused);
    assert_eq!(parse([format!("{body}\n").as_bytes()], &limits), refused);
}

/// Bodies of documents good and bad, blank lines, separators of both kinds, and noise.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[a-z]{1,3}".prop_map(|id| document(&id).into_bytes()),
        6 => prop_oneof![Just(b"\n".to_vec()), Just(b"\r\n".to_vec())],
        1 => prop_oneof![Just(b" ".to_vec()), Just(b"\r".to_vec()), Just(MARK.to_vec()), Just(b"{}".to_vec())],
        1 => proptest::collection::vec(any::<u8>(), 0..200),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn how_a_body_is_cut_makes_no_difference(
        body in bodies(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..10),
    ) {
        let limits = Limits { import_messages: 4, import_bytes: 1_500, import_document_bytes: 170, ..Limits::default() };
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        at.extend([0, body.len()]);
        at.sort_unstable();
        let pieces = at.windows(2).map(|ends| &body[ends[0]..ends[1]]);
        let at_once = parse([body.as_slice()], &limits);
        prop_assert_eq!(&parse(pieces, &limits), &at_once);
        prop_assert_eq!(&parse(body.chunks(1), &limits), &at_once);
    }

    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = whole(&body);
    }

    #[test]
    fn every_mix_of_separators_gives_the_same_messages(
        separators in proptest::collection::vec(prop_oneof![Just("\n"), Just("\r\n"), Just("\n\n"), Just("\r\n \t\r\n")], 1..8),
        last in any::<bool>(),
    ) {
        let mut body = String::new();
        for (at, separator) in separators.iter().enumerate() {
            body.push_str(&document(&format!("m{at}")));
            if last || at + 1 < separators.len() {
                body.push_str(separator);
            }
        }
        let expected: Vec<String> = (0..separators.len()).map(|at| format!("m{at}")).collect();
        prop_assert_eq!(ids(whole(body.as_bytes())), expected);
    }
}
