use super::{AppSettings, Secret};

/// What is shown of a secret.
pub const HIDDEN: &str = "(hidden)";

impl AppSettings {
    /// The same settings with every secret replaced, fit to be shown.
    pub fn without_secrets(&self) -> Self {
        let hidden = || Secret::new(HIDDEN);
        let mut shown = self.clone();
        shown.sync.url = shown.sync.url.as_deref().map(url);
        shown.jwt.secret = shown.jwt.secret.map(|_| hidden());
        shown.sync.webhook_secret = shown.sync.webhook_secret.map(|_| hidden());
        shown
            .sync
            .headers
            .values_mut()
            .for_each(|value| *value = hidden());
        shown
    }
}

/// A URL fit to be shown: user and password, the values of the query and the fragment are replaced.
pub fn url(url: &str) -> String {
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, _)) => (rest, format!("#{HIDDEN}")),
        None => (url, String::new()),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, format!("?{}", shown_query(query))),
        None => (rest, String::new()),
    };
    let (scheme, rest) = rest.split_at(rest.find("://").map_or(0, |at| at + 3));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // The user alone is hidden too: some services take a token there.
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => authority.to_owned(),
    };
    [scheme, &authority, path, &query, &fragment].concat()
}

fn shown_query(query: &str) -> String {
    let field = |field: &str| match field.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => HIDDEN.to_owned(),
    };
    query.split('&').map(field).collect::<Vec<_>>().join("&")
}
