use reqwest::Method;

use super::status::Status;
use crate::{Client, Error};

impl Client {
    /// Cancels a schedule: after this returns, no further occurrence is published (api.md 3.3).
    ///
    /// # Errors
    /// 409/5040 where there is nothing to cancel, and the refusals of api.md 3.1.
    pub async fn cancel(&self, message_id: &str) -> Result<Status, Error> {
        self.json("cancel", self.messaging(Method::DELETE, &[message_id], &[])?)
            .await
    }
}
