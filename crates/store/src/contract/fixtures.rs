use model::app::AppKey;
use model::inbox::{ClientTypes, Clients, InboxId, InboxMessage, InboxState};
use model::json::JsonText;
use model::settings::AppSettings;
use model::time::UnixMillis;

use crate::Store;
use crate::inbox::ListQuery;

/// 2026-06-01T00:00:00Z: the present of most cases.
pub(super) const NOW: UnixMillis = UnixMillis(1_780_272_000_000);

/// A new app.
pub(super) async fn new_app(store: &dyn Store, name: &str) -> AppKey {
    let id = name.parse().unwrap();
    let app = store.create_app(&id, &AppSettings::default(), NOW).await.unwrap();
    app.unwrap().key
}

pub(super) fn id(text: &str) -> InboxId {
    text.parse().unwrap()
}

/// `m0000`, `m0001` … : ids of many messages.
pub(super) fn numbered(number: usize) -> InboxId {
    id(&format!("m{number:04}"))
}

pub(super) fn date(text: &str) -> UnixMillis {
    UnixMillis::parse(text).unwrap()
}

pub(super) fn clients(names: &[&str]) -> Clients {
    ClientTypes::default().clients(names.iter().copied()).unwrap()
}

/// A message that is shown at [`NOW`] to `uid` on the web.
pub(super) fn message(id: &InboxId, uid: &str) -> InboxMessage {
    InboxMessage {
        id: id.clone(),
        uid: uid.into(),
        created_at: date("2026-01-01T00:00:00Z"),
        expires_at: date("2027-01-01T00:00:00Z"),
        clients: clients(&["web"]),
        prio: 0,
        state: InboxState::Imported,
        read: false,
        document: document(&format!("{id} Hej!")),
    }
}

/// What is shown of a message, told by its body.
pub(super) fn document(body: &str) -> JsonText {
    JsonText::from_checked(&format!(r#"{{"body":"{body}"}}"#))
}

/// Messages `m0000` … of one user.
pub(super) fn messages(count: usize, uid: &str) -> Vec<InboxMessage> {
    (0..count).map(|number| message(&numbered(number), uid)).collect()
}

/// Messages with these ids, imported for `ann` and then deleted.
pub(super) async fn import_deleted(store: &dyn Store, app: AppKey, ids: &[&str]) {
    let messages = ids.iter().map(|text| message(&id(text), "ann")).collect();
    store.import(app, messages).await.unwrap();
    for text in ids {
        assert!(store.delete(app, &id(text), None).await.unwrap());
    }
}

/// The ids that `uid` is shown on the web at [`NOW`].
pub(super) async fn listed(store: &dyn Store, app: AppKey, uid: &str) -> Vec<String> {
    let query = ListQuery {
        uid,
        client: "web",
        now: NOW,
        limit: 1_000,
        after: None,
    };
    let messages = store.list(app, query).await.unwrap();
    messages.iter().map(|message| message.id.to_string()).collect()
}

/// The state of a message; `None` if it is gone.
pub(super) async fn state(store: &dyn Store, app: AppKey, text: &str) -> Option<InboxState> {
    let message = store.show(app, &id(text)).await.unwrap();
    message.map(|message| message.state)
}
