use std::io::Write as _;

use model::headers::Headers;
use model::json::JsonText;
use model::message::{Echo, Message};
use model::time::UnixMillis;

/// Writes a message as SSE, WebSocket and history give it (api.md 3.6), on one line. The payload and the
/// fields that are only echoed pass as they came.
pub fn write(out: &mut Vec<u8>, channel: &str, message: &Message) {
    open(out, message);
    formatted(out, format_args!(",\"seq\":{},\"channel\":", message.seq));
    string(out, channel);
    out.push(b'}');
}

/// Writes a message as Backendless RT gives it: the same without `seq` and `channel`.
pub fn write_rt(out: &mut Vec<u8>, message: &Message) {
    open(out, message);
    out.push(b'}');
}

/// The fields that every way of delivery has, without the closing brace.
fn open(out: &mut Vec<u8>, message: &Message) {
    let content = &*message.content;
    let nothing = Echo::default();
    let echo = content.echo.as_deref().unwrap_or(&nothing);
    let millis = |at: Option<UnixMillis>| at.map_or(0, |at| at.0);

    formatted(
        out,
        format_args!(
            "{{\"messageId\":\"{}\",\"timestamp\":{}",
            message.id, message.published_at
        ),
    );
    raw(out, "message", Some(&content.payload));
    text(out, "publisherId", content.publisher_id.as_deref());
    text(
        out,
        "subtopic",
        content.subtopic.as_ref().map(|subtopic| subtopic.as_str()),
    );
    raw(out, "pushSinglecast", echo.push_singlecast.as_ref());
    raw(out, "pushBroadcast", echo.push_broadcast.as_ref());
    text(
        out,
        "publishPolicy",
        content.publish_policy.map(|policy| policy.as_str()),
    );
    raw(out, "templateValues", echo.template_values.as_ref());
    raw(out, "query", echo.query.as_ref());
    formatted(
        out,
        format_args!(
            ",\"publishAt\":{},\"repeatEvery\":{},\"repeatExpiresAt\":{}",
            millis(echo.publish_at),
            echo.repeat_every.unwrap_or(0),
            millis(echo.repeat_expires_at),
        ),
    );
    headers(out, &content.headers);
}

/// Writes a message as polling gives it (api.md 3.6), on one line.
pub fn write_polled(out: &mut Vec<u8>, message: &Message) {
    let content = &*message.content;
    formatted(out, format_args!("{{\"messageId\":\"{}\"", message.id));
    raw(out, "data", Some(&content.payload));
    formatted(out, format_args!(",\"publishedAt\":{}", message.published_at));
    text(out, "publisherId", content.publisher_id.as_deref());
    headers(out, &content.headers);
    out.push(b'}');
}

/// Always an object.
fn headers(out: &mut Vec<u8>, headers: &Headers) {
    field(out, "headers");
    out.push(b'{');
    for (at, (name, value)) in headers.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        string(out, value);
    }
    out.push(b'}');
}

fn raw(out: &mut Vec<u8>, name: &str, value: Option<&JsonText>) {
    field(out, name);
    out.extend_from_slice(value.map_or("null", JsonText::as_str).as_bytes());
}

fn text(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    field(out, name);
    match value {
        Some(value) => string(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

fn field(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes a JSON string.
pub fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is written to memory");
}

/// Writes formatted text.
pub fn formatted(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a text is written to memory");
}

#[cfg(test)]
mod tests;
