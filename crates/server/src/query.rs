use std::borrow::Cow;

use engine::error::Error;
use memchr::{memchr, memchr2};
use percent_encoding::percent_decode_str;

/// A segment of a path, not decoded; the first stands behind the leading slash.
pub fn segment(path: &str, place: usize) -> Option<&str> {
    let mut rest = path;
    for _ in 0..place {
        rest = &rest[1 + memchr(b'/', rest.as_bytes())?..];
    }
    let end = memchr(b'/', rest.as_bytes()).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The first value of a parameter in a query string, decoded (`+` is a space).
pub fn value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    pairs(query).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// All parameters of a query string, decoded, in order.
pub fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    })
}

/// Checks what [`pairs`] takes on trust: that each name and value, decoded, is UTF-8.
///
/// # Errors
/// 400/5908 with the name of the parameter that is not.
pub fn check(query: &str) -> Result<(), Error> {
    let is_text = |text: &str| percent_decode_str(text).decode_utf8().is_ok();
    for pair in query.split('&') {
        if memchr(b'%', pair.as_bytes()).is_some() && !is_text(pair) {
            let name: String = pair
                .split('=')
                .next()
                .unwrap_or_default()
                .chars()
                .take(40)
                .collect();
            let reason = format!("expected UTF-8, percent-encoded, found other bytes in {name:?}");
            return Err(Error::parameter("query", reason));
        }
    }
    Ok(())
}

fn decode(text: &str) -> Cow<'_, str> {
    if memchr2(b'+', b'%', text.as_bytes()).is_none() {
        return text.into();
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
        .into()
}
