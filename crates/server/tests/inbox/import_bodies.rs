//! Compressed, oversized and broken bodies of an import.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use testkit::server::Server;

use super::support::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

async fn start() -> (Server, String) {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    (server, key)
}

#[tokio::test]
async fn compressed_bodies_are_taken() {
    let (server, key) = start().await;
    let (first, second) = (documents(700, "u"), documents(700, "u").replace("\"m", "\"n"));
    let members = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
    let frames = [zstd(first.as_bytes()), zstd(second.as_bytes())].concat();
    for (encoding, body, count) in [
        ("gzip", gzip(first.as_bytes()), 700),
        ("x-gzip", members, 1_400),
        ("zstd", zstd(first.as_bytes()), 700),
        ("ZSTD", frames, 1_400),
        ("identity", first.clone().into_bytes(), 700),
    ] {
        let data = import(&server, &key, body)
            .header("content-encoding", encoding)
            .data()
            .await;
        assert_eq!(data, json!({"imported": count}), "{encoding}");
        assert_eq!(counted_away(&server, &key, "u").await, count);
        // Frees the ids.
        server.clock.advance(std::time::Duration::from_secs(2 * 86_400));
        assert_eq!(
            post(&server, "/messages/cleanup").key(&key).data().await,
            json!({"removed": count})
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn another_encoding_is_refused_by_name() {
    let (server, key) = start().await;
    for (encoding, found) in [("br", "\"br\""), ("gzip, gzip", "\"gzip, gzip\"")] {
        let failure = import(&server, &key, "")
            .header("content-encoding", encoding)
            .failure()
            .await;
        assert_eq!(
            failure,
            (
                400,
                format!("Content-Encoding: expected gzip, zstd or identity, found {found}")
            )
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_compressed_body_that_is_broken_or_cut_short_imports_nothing() {
    let (server, key) = start().await;
    let body = documents(300, "u");
    for (encoding, whole) in [("gzip", gzip(body.as_bytes())), ("zstd", zstd(body.as_bytes()))] {
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xFF;
        damaged[middle + 1] ^= 0xFF;
        let garbage = [whole.as_slice(), b"garbage"].concat();
        for bad in [
            whole[..whole.len() - 1].to_vec(),
            whole[..middle].to_vec(),
            damaged,
            garbage,
            body.clone().into_bytes(),
        ] {
            let (status, detail) = import(&server, &key, bad)
                .header("content-encoding", encoding)
                .failure()
                .await;
            assert_eq!(status, 400, "{detail}");
            let told = detail.starts_with("the body cannot be read: ") || detail.starts_with("line ");
            assert!(told, "{detail}");
            assert_eq!(counted_away(&server, &key, "u").await, 0, "{encoding}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_window_of_zstd_larger_than_http_allows_is_refused() {
    let (server, key) = start().await;
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder
        .write_all(document("a", "u").to_string().as_bytes())
        .unwrap();
    let body = encoder.finish().unwrap();
    let (status, detail) = import(&server, &key, body)
        .header("content-encoding", "zstd")
        .failure()
        .await;
    assert_eq!(status, 400, "{detail}");
    assert!(detail.starts_with("the body cannot be read: "), "{detail}");
    server.stop().await;
}

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn a_small_body_that_expands_without_end_is_refused_within_bounded_memory() {
    let server = Server::builder()
        .app(|settings| settings.limits.import_bytes = 4 * 1024 * 1024)
        .start()
        .await;
    let key = server.default_app().await.key("admin", "admin").await;
    let lines = vec![b'\n'; 1024 * 1024];
    // 2 GiB.
    for (encoding, bomb) in [
        ("gzip", gzip(&lines).repeat(2_048)),
        ("zstd", zstd(&lines).repeat(2_048)),
    ] {
        assert!(bomb.len() < 4 * 1024 * 1024);
        let failure = import(&server, &key, bomb)
            .header("content-encoding", encoding)
            .failure()
            .await;
        let expected = "at most 4194304 bytes in one import (after decompression), found more; send them in several requests";
        assert_eq!(failure, (413, expected.to_owned()));
    }
    assert!(peak_memory() < 1024 * 1024 * 1024, "{}", peak_memory());
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_long_and_holds_nothing_is_refused_by_its_own_length() {
    let server = Server::builder()
        .app(|settings| settings.limits.import_bytes = 100_000)
        .start()
        .await;
    let key = server.default_app().await.key("admin", "admin").await;
    let empty = gzip(b"");
    let (status, _) = import(&server, &key, empty.repeat(10_000))
        .header("content-encoding", "gzip")
        .failure()
        .await;
    assert_eq!(status, 413);
    let within = import(&server, &key, empty.repeat(1_000)).header("content-encoding", "gzip");
    assert_eq!(within.data().await, json!({"imported": 0}));
    server.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_its_sender_reads_the_answer() {
    let server = Server::builder()
        .app(|settings| settings.limits.import_bytes = 8 * 1024 * 1024)
        .start()
        .await;
    let key = server.default_app().await.key("admin", "admin").await;
    let body = "x".repeat(60_000);
    let large = |at: usize| {
        format!(
            "{}\n",
            with(document(&format!("m{at}"), "u"), json!({"body": body}))
        )
    };
    // 9.6 MB, sent whole.
    let over: String = (0..160).map(large).collect();
    let failure = import(&server, &key, over).failure().await;
    let expected = "at most 8388608 bytes in one import (after decompression), found more; send them in several requests";
    assert_eq!(failure, (413, expected.to_owned()));
    assert_eq!(counted_away(&server, &key, "u").await, 0);
    let within: String = (0..130).map(large).collect();
    assert_eq!(
        import(&server, &key, within).data().await,
        json!({"imported": 130})
    );
    server.stop().await;
}

#[tokio::test]
async fn a_document_over_the_limit_is_refused_before_its_end() {
    let (server, key) = start().await;
    let long = with(document("a", "u"), json!({"body": "x".repeat(70_000)}));
    let failure = import(&server, &key, format!("\n{long}")).failure().await;
    let expected = "line 2: at most 65536 bytes in one document, found more; a document ends with its line";
    assert_eq!(failure, (400, expected.to_owned()));
    server.stop().await;
}
