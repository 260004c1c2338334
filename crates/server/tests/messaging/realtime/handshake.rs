use reqwest::Method;
use testkit::server::Server;

use super::Client;
use crate::support::{World, send};

async fn connect(world: &World, path: &str, headers: &[(&'static str, &str)]) -> Result<(), (u16, u64)> {
    Client::try_connect(&world.server, path, headers).await.map(drop)
}

#[tokio::test]
async fn every_way_to_name_the_app_and_to_give_a_credential_works() {
    let world = World::new().await;
    let app = world.server.create_app("shop").await;
    let key = app.key("site", "subscribe").await;
    let token = app.token("ann").await;
    let mut client = Client::try_connect(&world.server, &format!("/shop/{key}/realtime"), &[])
        .await
        .unwrap();
    client.subscribe("a", "news").await;
    let with_token = format!("/shop/x/realtime?token={token}");
    let mut client = Client::try_connect(&world.server, &with_token, &[])
        .await
        .unwrap();
    client.subscribe("a", "news").await;
    let with_key = format!("/api/realtime?key={}", world.key);
    let mut client = Client::try_connect(&world.server, &with_key, &[]).await.unwrap();
    client.subscribe("a", "news").await;
}

#[tokio::test]
async fn a_bad_credential_and_an_unknown_app_are_refused_over_http() {
    let world = World::new().await;
    let refused = connect(&world, "/api/realtime", &[("x-api-key", "nobody-0123")]).await;
    assert_eq!(refused, Err((401, 2002)));
    let refused = connect(&world, "/api/realtime?token=x.y.z", &[("x-api-key", &world.key)]).await;
    assert_eq!(refused, Err((401, 3064)));
    let path = format!("/nowhere/{}/realtime", world.key);
    assert_eq!(connect(&world, &path, &[]).await, Err((404, 5909)));
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_unless_the_app_allows_them() {
    let server =
        Server::builder().app(|settings| settings.cors.origins = vec!["https://good.example".into()]);
    let world = World::of(server.start().await).await;
    let own = format!("http://{}", world.server.address);
    let key = ("x-api-key", world.key.as_str());
    for allowed in ["https://good.example", &own] {
        let connected = connect(&world, "/api/realtime", &[key, ("origin", allowed)]).await;
        assert_eq!(connected, Ok(()), "{allowed}");
    }
    for refused in [
        "https://bad.example",
        "null",
        "http://good.example",
        "https://good.example.bad.example",
    ] {
        let connected = connect(&world, "/api/realtime", &[key, ("origin", refused)]).await;
        assert_eq!(connected, Err((403, 5007)), "{refused}");
    }
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_told_what_was_expected() {
    let world = World::new().await;
    let answer = world.get("/api/realtime").await;
    assert_eq!(answer.error(), (426, 5908));
    assert_eq!(answer.headers["upgrade"], "websocket");
    let request = || world.request(Method::GET, "/api/realtime", &world.key);
    let upgrade = || {
        request()
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
    };
    let answer = send(upgrade()).await;
    assert_eq!(answer.error(), (400, 5908));
    let answer = send(
        upgrade()
            .header("sec-websocket-key", "x")
            .header("sec-websocket-version", "8"),
    )
    .await;
    assert_eq!(answer.error(), (426, 5908));
    assert_eq!(answer.headers["sec-websocket-version"], "13");
    let answer = send(world.request(Method::POST, "/api/realtime", &world.key)).await;
    assert_eq!(answer.error(), (405, 5918));
}
