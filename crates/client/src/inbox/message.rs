use serde::{Deserialize, Serialize};

/// A personal message as the server answers it (api.md 4); absent fields are left out again in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Unique in the app.
    pub id: String,
    /// The user it is for.
    pub uid: String,
    /// Id of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vid: Option<String>,
    /// Shown from then on; RFC 3339, with the offset it came with.
    pub created: String,
    /// Shown until then; RFC 3339, with the offset it came with.
    pub expires: String,
    /// Headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Short lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    /// Text.
    pub body: String,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub img: Option<String>,
    /// Kinds of client that show it.
    pub clients: Vec<String>,
    /// For example `campaign`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Higher comes first.
    pub prio: i64,
    /// `imported`, `deleted`, `synced` or `retracted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The user has read it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub read: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !value
}
