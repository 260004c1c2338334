use super::*;

fn route(path: &str) -> (Option<(String, String)>, String) {
    let route = Route::of(path);
    (route.classic, route.path.into_owned())
}

fn plain(path: &str) -> (Option<(String, String)>, String) {
    (None, path.to_owned())
}

fn classic(path: &str) -> (Option<(String, String)>, String) {
    (Some(("shop".to_owned(), "key-1".to_owned())), path.to_owned())
}

#[test]
fn fixed_routes_win_over_the_classic_form() {
    assert_eq!(route("/api/messaging/news"), plain("/api/messaging/news"));
    assert_eq!(route("/messages/1/read"), plain("/messages/1/read"));
    assert_eq!(route("/users/7/messages"), plain("/users/7/messages"));
}

#[test]
fn aliases_stand_for_the_api_routes() {
    assert_eq!(
        route("/messaging/news/events"),
        plain("/api/messaging/news/events")
    );
    assert_eq!(route("/info"), plain("/api/info"));
}

#[test]
fn a_classic_path_names_app_and_key() {
    assert_eq!(
        route("/shop/key-1/messaging/news"),
        classic("/api/messaging/news")
    );
    assert_eq!(route("/shop/key-1/realtime"), classic("/api/realtime"));
    assert_eq!(route("/shop/key-1/info"), classic("/api/info"));
    assert_eq!(route("/shop/key-1/messages/import"), classic("/messages/import"));
    assert_eq!(
        route("/shop/key%2D1/users/7/messages"),
        classic("/users/7/messages")
    );
}

#[test]
fn odd_paths_are_just_paths() {
    for path in ["", "*", "/", "//", "/shop", "/shop/key-1", "/a/b/c/d"] {
        let _ = route(path);
    }
    assert_eq!(route("/shop"), plain("/shop"));
    assert_eq!(route("/"), plain("/"));
}

#[test]
fn a_changed_path_keeps_its_query() {
    let uri: Uri = "/shop/key-1/messaging/a%20b?wait=5".parse().unwrap();
    assert_eq!(
        with_path(&uri, "/api/messaging/a%20b").to_string(),
        "/api/messaging/a%20b?wait=5"
    );
}
