use std::borrow::Cow;

use engine::error::Error;
use engine::messaging::Wanted;
use http::Uri;
use model::position::Since;

use crate::query;

/// Which messages a request asks for: `selector` and `subtopic`.
pub fn wanted(uri: &Uri) -> Wanted {
    let query = uri.query().unwrap_or_default();
    Wanted {
        selector: query::value(query, "selector").map(Cow::into_owned),
        subtopic: query::value(query, "subtopic").map(Cow::into_owned),
    }
}

/// The position that a parameter or header of this name gives; an empty one is none.
///
/// # Errors
/// 400/5908 for what is no position.
pub fn since(name: &'static str, text: Option<&str>) -> Result<Option<Since>, Error> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|error| Error::parameter(name, error)),
        None => Ok(None),
    }
}

/// The whole number that `limit` gives, or the default. Its range is the engine's to check.
///
/// # Errors
/// 400/5908 for what is no whole number.
pub fn limit(uri: &Uri, default: usize) -> Result<usize, Error> {
    let given = query::value(uri.query().unwrap_or_default(), "limit").filter(|text| !text.is_empty());
    match given {
        Some(text) => text.parse().map_err(|_| {
            let found: String = text.chars().take(40).collect();
            Error::parameter("limit", format!("expected a whole number, found {found:?}"))
        }),
        None => Ok(default),
    }
}
