use std::sync::Arc;

use store::Store as _;
use store::messages::Messages as _;

use super::*;
use crate::fixtures::{Told, appending, new_app, open, options};
use crate::open::writer_connection;

/// A head that is written to the file together with a later commit, before its own is flushed.
#[tokio::test]
async fn readers_do_not_find_in_the_file_what_is_not_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    store.append(appending(app, "a")).await.unwrap();
    store.close().await.unwrap();

    let connection = writer_connection(&options).unwrap();
    let heads = SharedHeads::load(&connection, options.role).unwrap();
    let name: ChannelName = "a".parse().unwrap();
    assert_eq!(
        heads.remembered(app, &name),
        None,
        "nothing is newer than the file"
    );
    let before = heads.find_committed(&connection, app, &name).unwrap().unwrap();
    let next = ChannelHead {
        seq: before.seq + 1,
        ..before
    };
    let changes = [((app, name.clone()), Some(next))];
    heads.commit(&changes, heads.last_row() + 1);
    connection.execute("UPDATE channels SET seq = 2", []).unwrap();
    assert_eq!(heads.find(&connection, app, &name).unwrap(), Some(before));
    heads.flushed(&changes);
    assert_eq!(heads.find(&connection, app, &name).unwrap(), Some(next));
}
