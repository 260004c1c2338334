use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;

/// Everything but RFC 3986 "unreserved" is escaped, so a name never changes the route.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Joins path segments, each escaped, every one with a leading slash.
///
/// # Errors
/// [`Error::Argument`] for an empty segment, `.` or `..`: URL parsers resolve those, and the request
/// would reach another route than the one meant.
pub(crate) fn join(segments: &[&str]) -> Result<String, Error> {
    let mut path = String::new();
    for segment in segments {
        if matches!(*segment, "" | "." | "..") {
            return Err(Error::Argument {
                name: "name or id",
                expected: "something other than nothing, `.` and `..`",
                found: format!("`{segment}`"),
            });
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, ESCAPED));
    }
    Ok(path)
}

/// Builds a query string with its `?`, leaving out what is `None`; empty if nothing is given.
pub(crate) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = String::new();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(name);
        query.push('=');
        query.extend(utf8_percent_encode(value, ESCAPED));
    }
    query
}

#[cfg(test)]
mod tests;
