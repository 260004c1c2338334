use proptest::collection::vec;
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};

use super::*;

const MAX: usize = 70_000;

/// All that comes of these bytes, given in pieces of these sizes, in turn.
fn read(bytes: &[u8], pieces: &[usize]) -> Result<Vec<Incoming>, Violation> {
    let mut assembler = Assembler::new(MAX);
    let mut found = Vec::new();
    let (mut rest, mut pieces) = (bytes, pieces.iter().cycle());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
        rest = behind;
        let mut piece = piece.to_vec();
        let mut left = &mut piece[..];
        while let Some(incoming) = assembler.take(&mut left)? {
            found.push(incoming);
        }
    }
    Ok(found)
}

/// The bytes of a frame, masked by the library that we test against.
fn masked(mut frame: Frame) -> Vec<u8> {
    frame.header_mut().mask = Some([0x9a, 0x31, 0x00, 0xc7]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

fn data(bytes: &[u8], kind: Data, is_final: bool) -> Vec<u8> {
    masked(Frame::message(bytes.to_vec(), OpCode::Data(kind), is_final))
}

fn text_of(length: usize) -> impl Strategy<Value = String> {
    vec(
        prop_oneof![Just('a'), Just('ü'), Just('😀'), any::<char>()],
        0..length,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn messages_are_put_together_whatever_their_frames_and_the_pieces_that_bytes_come_in(
        texts in vec((text_of(400), vec(0..200_usize, 0..3), any::<bool>()), 1..5),
        pieces in vec(1..300_usize, 1..10),
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (text, cuts, with_ping) in texts {
            let (mut rest, mut kind) = (text.as_bytes(), Data::Text);
            for cut in cuts {
                let (part, behind) = rest.split_at(cut.min(rest.len()));
                bytes.extend(data(part, kind, false));
                (rest, kind) = (behind, Data::Continue);
                if with_ping {
                    bytes.extend(masked(Frame::ping(b"are you there".to_vec())));
                    expected.push(Incoming::Ping(b"are you there".to_vec()));
                }
            }
            bytes.extend(data(rest, kind, true));
            expected.push(Incoming::Text(text));
        }
        prop_assert_eq!(read(&bytes, &pieces), Ok(expected));
    }

    #[test]
    fn no_bytes_whatsoever_make_it_panic_or_keep_more_than_it_may(
        bytes in vec(any::<u8>(), 0..2_000),
        pieces in vec(1..100_usize, 1..10),
    ) {
        let _ = read(&bytes, &pieces);
    }
}

#[test]
fn each_way_to_write_a_length_is_read() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, MAX] {
        let text = "x".repeat(length);
        let bytes = data(text.as_bytes(), Data::Text, true);
        assert_eq!(read(&bytes, &[4_096]), Ok(vec![Incoming::Text(text)]), "{length}");
    }
}

#[test]
fn of_a_binary_message_only_its_length_is_kept() {
    let bytes = data(&[7; 5_000], Data::Binary, true);
    assert_eq!(read(&bytes, &[1_000]), Ok(vec![Incoming::Binary(5_000)]));
}

#[test]
fn a_message_that_is_too_large_is_refused_by_its_heads_alone() {
    let too_big = |bytes: &[u8]| read(bytes, &[1_000]).map_err(|violation| violation.code);
    let whole = data(&vec![b'x'; MAX + 1], Data::Text, true);
    assert_eq!(too_big(&whole[..14]), Err(CloseCode::TOO_BIG));
    let mut parts = data(&vec![b'x'; MAX], Data::Text, false);
    parts.extend(data(b"x", Data::Continue, true));
    assert_eq!(too_big(&parts), Err(CloseCode::TOO_BIG));
    let endless = [
        0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4,
    ];
    assert_eq!(too_big(&endless), Err(CloseCode::TOO_BIG));
}

#[test]
fn what_breaks_the_rules_of_framing_is_told_as_such() {
    let mut in_between = data(b"a", Data::Text, false);
    in_between.extend(data(b"b", Data::Text, true));
    let mut long_ping = masked(Frame::ping(vec![0; 125]));
    long_ping[1] = 0x80 | 126;
    let cases = [
        (vec![0x81, 0x01, b'a'], "not masked"),
        (vec![0xc1, 0x80, 0, 0, 0, 0], "reserved bits"),
        (vec![0x83, 0x80, 0, 0, 0, 0], "unknown opcode"),
        (vec![0x09, 0x80, 0, 0, 0, 0], "fragmented"),
        (long_ping, "longer than 125"),
        (data(b"a", Data::Continue, true), "was not begun"),
        (in_between, "within another"),
        (vec![0x88, 0x81, 0, 0, 0, 0, 3], "half a code"),
        (vec![0x88, 0x82, 0, 0, 0, 0, 3, 0xed], "that none may have"),
        (vec![0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], "63 bits"),
    ];
    for (bytes, reason) in cases {
        let violation = read(&bytes, &[1]).unwrap_err();
        assert_eq!(violation.code, CloseCode::PROTOCOL, "{reason}");
        assert!(violation.reason.contains(reason), "{violation:?}");
        assert!(violation.reason.len() <= 123);
    }
}

#[test]
fn text_that_is_not_utf_8_is_told_apart() {
    for bad in [&[0xff_u8][..], &[0xc3], &[0xed, 0xa0, 0x80]] {
        let violation = read(&data(bad, Data::Text, true), &[7]).unwrap_err();
        assert_eq!(violation.code, CloseCode::NOT_UTF8);
    }
}

#[test]
fn a_close_comes_with_its_code_and_reason() {
    let frame = CloseFrame {
        code: 4000.into(),
        reason: "bye".into(),
    };
    let bytes = masked(Frame::close(Some(frame)));
    let expected = Incoming::Close(Some((CloseCode(4000), "bye".to_owned())));
    assert_eq!(read(&bytes, &[3]), Ok(vec![expected]));
    assert_eq!(
        read(&masked(Frame::close(None)), &[3]),
        Ok(vec![Incoming::Close(None)])
    );
    let pong = masked(Frame::pong(b"x".to_vec()));
    assert_eq!(read(&pong, &[3]), Ok(vec![Incoming::Pong]));
}
