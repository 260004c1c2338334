use serde_json::{Value, json};

/// Requests that poll.
pub mod polling;
/// A WebSocket.
pub mod websocket;

/// What stands between the packets of a polling request.
pub const SEPARATOR: &str = "\u{1e}";

/// The packet of an event.
pub fn event(name: &str, argument: &Value) -> String {
    format!("42/default,{}", json!([name, argument]))
}

/// What an event packet says.
pub fn parsed(packet: &str) -> (String, Value) {
    let array = packet
        .strip_prefix("42/default,")
        .unwrap_or_else(|| panic!("expected an event, found {packet:?}"));
    let array: Value = serde_json::from_str(array).unwrap();
    (array[0].as_str().unwrap().to_owned(), array[1].clone())
}

/// What says that a subscription is ready.
pub fn ready(id: &str) -> (String, Value) {
    ("SUB_READY".to_owned(), json!({ "id": id }))
}

/// The code of an error, whose shape is checked.
pub fn error_of((name, argument): (String, Value), expected: &str, id: &str) -> u64 {
    assert_eq!(name, expected, "{argument}");
    assert_eq!(argument["id"], id, "{argument}");
    assert!(
        !argument["error"]["message"].as_str().unwrap().is_empty(),
        "{argument}"
    );
    argument["error"]["code"].as_u64().unwrap()
}

/// The payload of a message.
pub fn payload(event: (String, Value), id: &str) -> Value {
    data(event, id)["message"].take()
}

/// What a subscription tells.
pub fn data((name, mut argument): (String, Value), id: &str) -> Value {
    assert_eq!(name, "SUB_RES", "{argument}");
    assert_eq!(argument["id"], id, "{argument}");
    argument["data"].take()
}
