use std::borrow::Cow;
use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use engine::access::snapshot::AppState;
use engine::error::Error;
use http::request::Parts;
use http::{HeaderValue, Uri};
use model::app::{DEFAULT, RESERVED};

use crate::State;
use crate::envelope;
use crate::error::{ChannelError, Family, InboxFailure, LacksRequestId};
use crate::query::{self, segment};
use crate::rt;
use crate::serve::client::ClientInfo;
use crate::serve::hooks::{Hooks, RequestContext};

/// The app that a request is for. A request extension.
#[derive(Clone)]
pub struct Addressed {
    /// The app's name as the request gave it.
    pub id: Cow<'static, str>,
    /// The app; absent only for what answers without one.
    pub app: Option<Arc<AppState>>,
    /// The API key of a classic path.
    pub path_key: Option<String>,
}

/// What the edge asks: addressing before routing, CORS per app, refusals in the family's shape.
pub struct ServerHooks {
    /// What every handler has.
    pub state: State,
}

/// How a path names an app and a route (api.md 1).
#[derive(Debug, PartialEq, Eq)]
struct Route<'a> {
    /// App and key of a classic path.
    classic: Option<(String, String)>,
    /// The path of the route, without a classic prefix and with aliases replaced.
    path: Cow<'a, str>,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        let first = segment(path, 1).unwrap_or("");
        // A classic path has something behind app and key.
        if !RESERVED.contains(&first)
            && let Some(key) = segment(path, 2)
            && let Some(rest) = path.splitn(4, '/').nth(3)
        {
            return Self {
                classic: Some((decoded(first), decoded(key))),
                path: canonical(&format!("/{rest}")).into_owned().into(),
            };
        }
        Self {
            classic: None,
            path: canonical(path),
        }
    }
}

/// Replaces the aliases of routes: `/messaging`, `/info` and, behind a classic prefix, `/realtime`.
fn canonical(path: &str) -> Cow<'_, str> {
    // CONNECT has no path.
    match segment(path, 1).unwrap_or(path) {
        "messaging" | "info" | "realtime" => format!("/api{path}").into(),
        _ => path.into(),
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}

impl ServerHooks {
    /// The app that the host names, if hosts name apps.
    fn app_of_host(&self, client: Option<&ClientInfo>) -> Option<String> {
        let domain = self.state.settings.base_domain.as_deref()?;
        let host = client.map_or("", ClientInfo::host);
        let host = host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) {
                name
            } else {
                host
            }
        });
        let host = host.to_ascii_lowercase();
        let label = host.strip_suffix(&domain.to_ascii_lowercase())?;
        label.strip_suffix('.').map(str::to_owned)
    }
}

impl Hooks for ServerHooks {
    fn prepare(&self, parts: &mut Parts) -> Result<(), Response> {
        let Route { classic, path } = Route::of(parts.uri.path());
        let id = match (rt::request::app_of(&parts.uri), &classic) {
            (Some(app), _) => Cow::from(decoded(app)),
            (None, Some((app, _))) => Cow::from(app.clone()),
            (None, None) => self
                .app_of_host(parts.extensions.get())
                .map_or(Cow::from(DEFAULT), Cow::from),
        };
        let app = self.state.engine.access().app(&id);
        let family = Family::of(&path);
        let known = app.is_some() || !family.needs_app(&path);
        if path != parts.uri.path() {
            parts.uri = with_path(&parts.uri, &path);
        }
        parts.extensions.insert(Addressed {
            id,
            app,
            path_key: classic.map(|(_, key)| key),
        });
        if !known {
            return Err(family.refuse(Error::NotFound { what: "app" }));
        }
        query::check(parts.uri.query().unwrap_or_default()).map_err(|error| family.refuse(error))
    }

    fn origin_allowed(&self, parts: &Parts, origin: &HeaderValue) -> bool {
        origin_allowed(&self.state, parts, origin)
    }

    fn plain_http_refused(&self, request: &RequestContext) -> Response {
        let text = "this server takes requests over HTTPS only";
        match Family::of(request.uri.path()) {
            Family::Inbox => InboxFailure::new(http::StatusCode::FORBIDDEN, text).into_response(),
            Family::Channel => ChannelError::new(http::StatusCode::FORBIDDEN, 5917, text).into_response(),
        }
    }

    fn panicked(&self, request: &RequestContext) -> Response {
        match Family::of(request.uri.path()) {
            Family::Inbox => InboxFailure::from(Error::Internal("a handler panicked".into())).into_response(),
            Family::Channel => ChannelError::internal(request.request_id.as_str()).into_response(),
        }
    }

    fn finish(&self, response: Response, request: &RequestContext) -> Response {
        match response.extensions().get::<LacksRequestId>() {
            Some(LacksRequestId) => ChannelError::internal(request.request_id.as_str()).into_response(),
            None => envelope::with_meta(response, request, &**self.state.engine.clock()),
        }
    }
}

/// Whether pages of this origin may call the app that a prepared request is for (api.md 5).
pub fn origin_allowed(state: &State, parts: &Parts, origin: &HeaderValue) -> bool {
    if state.settings.any_origin {
        return true;
    }
    let app = parts
        .extensions
        .get::<Addressed>()
        .and_then(|addressed| addressed.app.as_ref());
    let origins = app.map(|app| &app.settings.cors.origins);
    origins.is_some_and(|origins| {
        origins
            .iter()
            .any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes())
    })
}

/// Whether an origin is the one that the request went to: no other site's page.
pub fn is_same_origin(parts: &Parts, origin: &HeaderValue) -> bool {
    let client = parts.extensions.get::<ClientInfo>();
    client.is_some_and(|client| {
        let own = format!("{}://{}", client.scheme(), client.host());
        own.eq_ignore_ascii_case(&String::from_utf8_lossy(origin.as_bytes()))
    })
}

/// The URI with another path and the same query.
fn with_path(uri: &Uri, path: &str) -> Uri {
    let mut parts = uri.clone().into_parts();
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    parts.path_and_query = path_and_query.parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests;
