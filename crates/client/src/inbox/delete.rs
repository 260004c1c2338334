use reqwest::Method;

use crate::{Client, Error};

impl Client {
    /// Deletes a message: of the token's user, or any with a key that has `inbox` (api.md 4).
    ///
    /// # Errors
    /// 400 for a bad id, 401, 404 for one that is absent, another user's, or no longer imported.
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        self.send(self.inbox(Method::DELETE, &["messages", id], &[])?)
            .await
            .map(drop)
    }
}
