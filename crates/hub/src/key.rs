use model::app::AppKey;
use model::channel::ChannelName;

/// One channel of one app. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChannelKey {
    /// The app.
    pub app: AppKey,
    /// The channel's name within it.
    pub name: ChannelName,
}
