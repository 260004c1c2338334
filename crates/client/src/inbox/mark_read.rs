use reqwest::Method;

use crate::{Client, Error};

impl Client {
    /// Marks a message of the token's user as read, also one that is so already (api.md 4).
    ///
    /// # Errors
    /// 400 for a bad id, 401, 404 for one that the user is not shown.
    pub async fn mark_read(&self, id: &str) -> Result<(), Error> {
        let request = self.inbox(Method::POST, &["messages", id, "read"], &[])?;
        self.send(request).await.map(drop)
    }
}
