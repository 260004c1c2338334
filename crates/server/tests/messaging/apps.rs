use reqwest::Method;
use serde_json::{Value, json};
use testkit::server::Server;

use crate::support::{World, send};

#[tokio::test]
async fn two_apps_never_see_each_others_anything() {
    let world = World::new().await;
    let shop = world.server.create_app("shop").await;
    let shop_key = shop.key("root", "admin").await;
    let classic = |path: &str| world.server.url(&format!("/shop/{shop_key}/{path}"));
    let http = &world.server.http;

    let mut ours = world.events("news", "").await;
    let mut theirs = world.open(http.get(classic("messaging/news/events"))).await;
    let our_id = world.publish("news", json!("ours")).await;
    let posting = http
        .post(classic("messaging/news"))
        .header("Content-Type", "application/json");
    let their_id = send(posting.body(r#"{"message":"theirs"}"#)).await.message_id();

    let event = theirs.next().await.unwrap().json();
    assert_eq!((&event["message"], &event["seq"]), (&json!("theirs"), &json!(1)));
    let event = ours.next().await.unwrap().json();
    assert_eq!((&event["message"], &event["seq"]), (&json!("ours"), &json!(1)));

    let history = send(http.get(classic("messaging/news/history"))).await.json();
    assert_eq!(history["messages"].as_array().unwrap().len(), 1);
    assert_eq!(history["messages"][0]["message"], "theirs");
    assert_eq!(world.payloads("news").await, [json!("ours")]);

    assert_eq!(
        send(http.get(classic(&format!("messaging/{our_id}"))))
            .await
            .json()["status"],
        "unknown"
    );
    assert_eq!(
        world.get(&format!("/api/messaging/{their_id}")).await.json()["status"],
        "unknown"
    );

    world.publish("only-ours", json!(1)).await;
    let list = send(http.get(classic("messaging/channels"))).await.json();
    let names: Vec<&Value> = list["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| &channel["name"])
        .collect();
    assert_eq!(names, ["default", "news"]);

    // Keys and tokens are good in their own app alone.
    let crossed = world
        .server
        .url(&format!("/shop/{}/messaging/news/history", world.admin));
    assert_eq!(send(http.get(crossed)).await.error(), (401, 2002));
    assert_eq!(
        send(world.request(Method::GET, "/api/messaging/news/history", &shop_key))
            .await
            .error(),
        (401, 2002)
    );
    shop.set(|settings| {
        settings.jwt.secret = Some(model::settings::Secret::new(
            "another secret of at least thirty-two bytes",
        ));
    })
    .await;
    let token = shop.token("ann").await;
    let with_token = |url: String| http.get(url).header("user-token", &token);
    assert_eq!(
        send(with_token(world.server.url("/api/messaging/news/history")))
            .await
            .error(),
        (401, 3064)
    );
    assert_eq!(
        send(with_token(
            world.server.url("/shop/undefined/messaging/news/history")
        ))
        .await
        .status,
        200
    );

    // Deleting there deletes nothing here.
    let deleted = send(http.delete(classic("messaging/channels/news"))).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, "true"));
    assert_eq!(world.payloads("news").await, [json!("ours")]);
    assert_eq!(theirs.next().await.unwrap().name, "end");
    world.publish("news", json!("still")).await;
    assert_eq!(ours.next().await.unwrap().json()["message"], "still");
}

#[tokio::test]
async fn the_host_names_an_app_under_the_base_domain() {
    let settings = postbell_server::Settings {
        base_domain: Some("push.example".into()),
        ..postbell_server::Settings::default()
    };
    let world = World::of(Server::builder().settings(settings).start().await).await;
    let shop = world.server.create_app("shop").await;
    let key = shop.key("root", "publish,subscribe").await;
    let get = |host: &str, key: &str| {
        let request = world.request(Method::GET, "/api/messaging/news/history", key);
        send(request.header("Host", host))
    };
    assert_eq!(get("shop.push.example", &key).await.status, 200);
    assert_eq!(get("SHOP.Push.Example", &key).await.status, 200);
    assert_eq!(get("shop.push.example:8443", &key).await.status, 200);
    assert_eq!(get("shop.push.example", &world.key).await.error(), (401, 2002));
    assert_eq!(get("push.example", &world.key).await.status, 200);
    assert_eq!(get("shop.other.example", &world.key).await.status, 200);
    assert_eq!(get("none.push.example", &key).await.error(), (404, 5909));
}

#[tokio::test]
async fn an_unknown_app_is_404_in_the_shape_of_its_family() {
    let world = World::new().await;
    let get = |path: String| send(world.server.http.get(world.server.url(&path)));
    assert_eq!(
        get(format!("/nobody/{}/messaging/news/history", world.key))
            .await
            .error(),
        (404, 5909)
    );
    let inbox = get(format!("/nobody/{}/messages", world.key)).await;
    assert_eq!(
        (inbox.status, inbox.json()["errors"][0]["status"].as_u64()),
        (404, Some(404))
    );
    assert_eq!(inbox.json()["meta"]["endpoint"], "/messages");
}

#[tokio::test]
async fn aliases_and_classic_paths_reach_the_same_channel() {
    let world = World::new().await;
    let post = |path: String| {
        let request = world
            .server
            .http
            .post(world.server.url(&path))
            .header("X-Api-Key", &world.key);
        send(
            request
                .header("Content-Type", "application/json")
                .body(r#"{"message":1}"#),
        )
    };
    for path in [
        "/api/messaging/news".to_owned(),
        "/messaging/news".to_owned(),
        format!("/default/{}/messaging/news", world.key),
        format!("/DEFAULT/{}/messaging/news", world.key),
    ] {
        post(path).await.message_id();
    }
    assert_eq!(world.payloads("news").await.len(), 4);
}

#[tokio::test]
async fn info_always_answers_200_with_the_app_and_the_paths_key() {
    let world = World::new().await;
    let info = async |path: &str| {
        let answer = send(world.server.http.get(world.server.url(path))).await;
        assert_eq!(answer.status, 200, "{path}");
        answer.json()
    };
    let url = world.server.url("");
    assert_eq!(
        info("/api/info").await,
        json!({"appId": "default", "apiKey": "", "rtURL": url})
    );
    assert_eq!(
        info("/info").await,
        json!({"appId": "default", "apiKey": "", "rtURL": url})
    );
    assert_eq!(
        info("/shop/some-key/info").await,
        json!({"appId": "shop", "apiKey": "some-key", "rtURL": url})
    );
    assert_eq!(info("/info?token=bad").await["appId"], "default");
}

#[tokio::test]
async fn info_tells_the_public_url_if_there_is_one() {
    let settings = postbell_server::Settings {
        public_url: Some("https://push.example/".into()),
        ..postbell_server::Settings::default()
    };
    let server = Server::builder().settings(settings).start().await;
    let answer = send(server.http.get(server.url("/info"))).await;
    assert_eq!(answer.json()["rtURL"], "https://push.example");
}

#[tokio::test]
async fn origins_are_allowed_per_app_on_classic_paths_too() {
    let world = World::new().await;
    let shop = world.server.create_app_with("shop", |settings| {
        settings.cors.origins = vec!["https://shop.example".into()];
    });
    let key = shop.await.key("web", "publish,subscribe").await;
    let preflight = |path: String, origin: &'static str| {
        let request = world
            .server
            .http
            .request(Method::OPTIONS, world.server.url(&path));
        send(
            request
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST"),
        )
    };
    let classic = format!("/shop/{key}/messaging/news");
    let allowed = preflight(classic.clone(), "https://shop.example").await;
    assert_eq!(allowed.status, 204);
    assert_eq!(
        allowed.headers["access-control-allow-origin"],
        "https://shop.example"
    );
    let names = allowed.headers["access-control-allow-headers"].to_str().unwrap();
    for name in [
        "user-token",
        "content-type",
        "x-api-key",
        "authorization",
        "idempotency-key",
        "last-event-id",
    ] {
        assert!(names.contains(name), "{names}");
    }
    assert_eq!(
        preflight(classic.clone(), "https://evil.example").await.status,
        403
    );
    assert_eq!(
        preflight("/api/messaging/news".into(), "https://shop.example")
            .await
            .status,
        403
    );
    // An error can be read by the page too.
    let answer = send(
        world
            .server
            .http
            .post(world.server.url(&classic))
            .header("Origin", "https://shop.example"),
    );
    let answer = answer.await;
    assert_eq!(answer.error(), (415, 5911));
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "https://shop.example"
    );
}
