use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use proptest::prelude::*;
use tokio::io::{AsyncRead, ReadBuf};

use super::{Batch, Batches, Error, Limits};

/// Gives the bytes in pieces of the given lengths, over and over.
struct Pieces<'a> {
    rest: &'a [u8],
    lengths: Vec<usize>,
    next: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.lengths[self.next % self.lengths.len()]
            .min(self.rest.len())
            .min(buffer.remaining());
        self.next += 1;
        let (piece, rest) = self.rest.split_at(length);
        buffer.put_slice(piece);
        self.rest = rest;
        Poll::Ready(Ok(()))
    }
}

fn cut(bytes: &[u8], lengths: &[usize], limits: Limits) -> Result<Vec<Batch>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let input = Pieces {
            rest: bytes,
            lengths: lengths.to_vec(),
            next: 0,
        };
        let mut batches = Batches::new(input, limits);
        let mut all = Vec::new();
        while let Some(batch) = batches.next().await? {
            all.push(batch);
        }
        Ok(all)
    })
}

fn texts(batches: &[Batch]) -> Vec<(u64, u64, &str)> {
    batches
        .iter()
        .map(|batch| {
            (
                batch.first_line,
                batch.lines,
                std::str::from_utf8(&batch.bytes).unwrap(),
            )
        })
        .collect()
}

#[test]
fn documents_and_bytes_both_bound_a_batch() {
    let limits = Limits {
        documents: 3,
        bytes: 10,
    };
    let batches = cut(b"a\nb\nc\nd\n123456\n789\n", &[100], limits).unwrap();
    assert_eq!(
        texts(&batches),
        [(1, 3, "a\nb\nc\n"), (4, 2, "d\n123456\n"), (6, 1, "789\n")]
    );
}

#[test]
fn blank_lines_count_as_lines_but_not_as_documents() {
    let limits = Limits {
        documents: 2,
        bytes: 100,
    };
    let batches = cut(b"\n\r\na\n\nb\n \nc", &[3], limits).unwrap();
    assert_eq!(texts(&batches), [(1, 6, "\n\r\na\n\nb\n \n"), (7, 1, "c")]);
    assert_eq!(batches[1].last_line(), 7);
    assert_eq!(cut(b"\n\n\n", &[1], limits).unwrap(), []);
}

#[test]
fn blank_lines_never_keep_a_document_out() {
    let limits = Limits {
        documents: 9,
        bytes: 4,
    };
    let batches = cut(b"\n\n\nabc\n\n\n\n\n\n\n\nd\n", &[5], limits).unwrap();
    let documents: String = batches
        .iter()
        .map(|batch| std::str::from_utf8(&batch.bytes).unwrap())
        .collect();
    assert_eq!(documents.split_whitespace().collect::<Vec<_>>(), ["abc", "d"]);
    assert_eq!(batches[0].first_line, 4);
}

#[test]
fn a_line_over_the_limit_is_named_ended_or_not() {
    let limits = Limits {
        documents: 9,
        bytes: 4,
    };
    for input in [&b"a\nbcdef\n"[..], b"a\nbcdefghijklm"] {
        let error = cut(input, &[100], limits).unwrap_err();
        assert!(
            matches!(error, Error::LineTooLong { line: 2, limit: 4 }),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn batches_hold_every_line_once_and_keep_their_bounds(
        lines in proptest::collection::vec("[a-z]{0,6} ?\r?", 0..40),
        lengths in proptest::collection::vec(1usize..20, 1..5),
        documents in 1u64..6,
        ended in any::<bool>(),
    ) {
        let limits = Limits { documents, bytes: 12 };
        let mut text = lines.join("\n");
        if ended {
            text.push('\n');
        }
        let batches = cut(text.as_bytes(), &lengths, limits).unwrap();
        prop_assert_eq!(&cut(text.as_bytes(), &[usize::MAX], limits).unwrap(), &batches);
        let all: Vec<&str> = text.split('\n').collect();
        let mut found = Vec::new();
        for batch in &batches {
            let body = std::str::from_utf8(&batch.bytes).unwrap();
            prop_assert!(body.len() <= limits.bytes);
            prop_assert!(body.lines().filter(|line| !line.trim().is_empty()).count() as u64 <= documents);
            for (offset, line) in body.trim_end_matches('\n').split('\n').enumerate() {
                let number = batch.first_line as usize + offset;
                prop_assert_eq!(line, all[number - 1]);
                if !line.trim().is_empty() {
                    found.push(number);
                }
            }
        }
        let expected: Vec<usize> =
            all.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(index, _)| index + 1).collect();
        prop_assert_eq!(found, expected);
    }
}
