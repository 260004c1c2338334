use std::task::{Context, Poll};

use super::super::streaming::Chunk;
use super::*;

struct Nothing;

impl Chunks for Nothing {
    fn poll_chunks(&mut self, _: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>> {
        Poll::Pending
    }
}

fn write(handover: &Handover, pieces: &[&[u8]]) {
    let all = pieces.iter().map(|piece| piece.len()).sum();
    handover.wrote(pieces.iter().copied(), all);
}

#[test]
fn the_end_of_a_head_is_seen_in_any_pieces() {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    for size in 1..HEAD.len() {
        let handover = Handover::default();
        handover.arm(Box::new(Nothing));
        for (number, piece) in HEAD.chunks(size).enumerate() {
            assert!(!handover.wants_socket(), "{size}: before piece {number}");
            write(&handover, &[piece]);
        }
        assert!(handover.wants_socket(), "{size}");
    }
}

#[test]
fn only_what_was_written_counts() {
    let handover = Handover::default();
    handover.arm(Box::new(Nothing));
    let pieces: [&[u8]; 3] = [b"a: b\r", b"\n\r\n", b"never"];
    handover.wrote(pieces.into_iter(), 7);
    assert!(!handover.wants_socket());
    handover.wrote([&b"\n"[..]].into_iter(), 1);
    assert!(handover.wants_socket());
}

#[test]
fn what_was_written_before_does_not_count() {
    let handover = Handover::default();
    write(&handover, &[b"content-length: 0\r\n\r\n"]);
    assert!(!handover.wants_socket(), "nothing is to be streamed");
    handover.arm(Box::new(Nothing));
    assert!(!handover.wants_socket(), "the head is not written yet");
    write(&handover, &[b"the rest of an answer before"]);
    assert!(!handover.wants_socket());
    assert!(handover.take().is_none());
}
