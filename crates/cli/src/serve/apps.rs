use engine::system::SystemClock;
use model::time::Clock as _;
use store::SharedStore;

use crate::config::apps::AppConfig;

/// Writes what the configuration says about apps to the store (api.md 1): `[apps.NAME]` of the file
/// replaces the app's settings, the environment is laid over them. An app that is not there is made.
///
/// # Errors
///
/// Settings that cannot be once they are laid over those of the store; the store cannot be written.
pub async fn write(store: &SharedStore, apps: &[AppConfig]) -> anyhow::Result<()> {
    for app in apps {
        let stored = store.app(&app.id).await?.map(|app| app.settings);
        let settings = app.apply(stored.as_ref())?;
        match stored {
            None => {
                store.create_app(&app.id, &settings, SystemClock.now()).await?;
                tracing::info!(app.id = %app.id, "made the app that the configuration names");
            }
            Some(stored) if stored == settings => {}
            Some(_) => {
                store.set_app(&app.id, &settings).await?;
                tracing::info!(app.id = %app.id, "wrote the settings of the configuration");
            }
        }
    }
    Ok(())
}
