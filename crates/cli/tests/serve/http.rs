use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use crate::server::{PATIENCE, Server};

/// Status and body of one request over a connection of its own.
pub fn request(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let mut stream = send(server, method, path, headers, body);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer
        .split_once("\r\n\r\n")
        .map_or("", |(_, body)| body)
        .to_owned();
    (status, body)
}

/// Publishes to the channel `news` with a key; the status.
pub fn publish(server: &Server, key: &str, message: &str) -> u16 {
    let headers = [("x-api-key", key), ("content-type", "application/json")];
    let body = serde_json::json!({"message": message}).to_string();
    request(server, "POST", "/api/messaging/news", &headers, &body).0
}

/// Opens a stream of events and waits for the first message.
pub fn open_stream(server: &Server, path: &str, key: &str) -> BufReader<TcpStream> {
    let mut stream = send(server, "GET", path, &[("x-api-key", key)], "");
    let head = read_until(&mut stream, "\r\n");
    assert!(head.contains("200"), "{head}");
    read_until(&mut stream, "event: message");
    stream
}

/// Reads lines up to one that has `wanted` in it and gives them all.
pub fn read_until(stream: &mut BufReader<TcpStream>, wanted: &str) -> String {
    let mut read = String::new();
    loop {
        let before = read.len();
        let count = stream.read_line(&mut read).unwrap();
        assert!(count > 0, "the stream ended before {wanted:?}: {read}");
        if read[before..].contains(wanted) {
            return read;
        }
    }
}

fn send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        server.address()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = body.len();
    stream
        .write_all(format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes())
        .unwrap();
    BufReader::new(stream)
}
