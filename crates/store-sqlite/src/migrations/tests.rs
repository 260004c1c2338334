use super::*;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn migrated() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    apply(&mut connection, NOW).unwrap();
    connection
}

#[test]
fn a_fresh_file_gets_every_migration_once() {
    let mut connection = migrated();
    assert!(is_current(&connection).unwrap());
    apply(&mut connection, NOW).unwrap();
    let count: i64 = connection
        .query_row("SELECT count(*) FROM migrations", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, MIGRATIONS.len() as i64);
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let mut connection = migrated();
    let newer = MIGRATIONS.len() as i64 + 1;
    connection
        .execute("INSERT INTO migrations VALUES (?1, 'future', 'x', 0)", [newer])
        .unwrap();
    let text = apply(&mut connection, NOW).unwrap_err().to_string();
    assert!(text.contains(&format!("version {newer} (future)")), "{text}");
    assert!(text.contains("use a newer postbell"), "{text}");
}

#[test]
fn a_changed_migration_is_refused() {
    let mut connection = migrated();
    connection
        .execute("UPDATE migrations SET checksum = 'other' WHERE version = 1", [])
        .unwrap();
    let text = apply(&mut connection, NOW).unwrap_err().to_string();
    assert!(text.contains("the checksums differ"), "{text}");
}

/// A file as the first five migrations left it, with what a user may have in it.
#[test]
fn inbox_messages_of_an_older_file_become_documents() {
    let mut connection = Connection::open_in_memory().unwrap();
    let transaction = connection.transaction().unwrap();
    for (_, sql) in &MIGRATIONS[..5] {
        transaction.execute_batch(sql).unwrap();
    }
    let insert =
        "INSERT INTO inbox (app, id, uid, state, prio, created_at, expires_at, clients, read, changed, kind,
                                     created, expires, vid, title, lead, url, img, body)
                  VALUES (1, ?1, 'ann', 1, -3, 100, 200, ?2, 4, 5, 'offer', '2014-11-06T13:34:59+01:00',
                          '2034-11-06T13:34:59Z', NULL, ?3, NULL, NULL, 'i', ?4)";
    transaction
        .execute(insert, ["a", "web", "Räk \"smörgås\"", "one\ntwo \u{0}"])
        .unwrap();
    transaction
        .execute(insert, rusqlite::params!["b", "ios,atv", None::<&str>, ""])
        .unwrap();
    transaction.execute_batch(MIGRATIONS[5].1).unwrap();
    transaction.commit().unwrap();
    let mut select = connection
        .prepare("SELECT rowid, id, state, prio, created_at, expires_at, clients, read, changed, document FROM inbox")
        .unwrap();
    let rows = select.query_map([], |row| {
        let numbers = [0, 2, 3, 4, 5, 7, 8].map(|column| row.get::<_, i64>(column).unwrap());
        let texts = [1, 6, 9].map(|column| row.get::<_, String>(column).unwrap());
        Ok((numbers, texts))
    });
    let rows: Vec<_> = rows.unwrap().map(|row| row.unwrap()).collect();
    let one = r#"{"id":"a","uid":"ann","created":"2014-11-06T13:34:59+01:00","expires":"2034-11-06T13:34:59Z","title":"Räk \"smörgås\"","body":"one\ntwo \u0000","img":"i","clients":["web"],"type":"offer","prio":-3}"#;
    let two = r#"{"id":"b","uid":"ann","created":"2014-11-06T13:34:59+01:00","expires":"2034-11-06T13:34:59Z","body":"","img":"i","clients":["ios","atv"],"type":"offer","prio":-3}"#;
    assert_eq!(
        rows[0],
        ([1, 1, -3, 100, 200, 4, 5], ["a", "web", one].map(str::to_owned))
    );
    assert_eq!(
        rows[1],
        (
            [2, 1, -3, 100, 200, 4, 5],
            ["b", "ios,atv", two].map(str::to_owned)
        )
    );
    assert_eq!(rows.len(), 2);
}

#[test]
fn messages_of_schedules_in_an_older_log_are_placed_behind_what_was_minted_before() {
    let connection = Connection::open_in_memory().unwrap();
    let (order, before) = MIGRATIONS[..7].split_last().unwrap();
    for (_, sql) in before {
        connection.execute_batch(sql).unwrap();
    }
    // The last byte of the id, the number of the occurrence.
    let log = [
        (2_u8, Some(1)),
        (2, Some(2)),
        (4, None),
        (3, None),
        (6, None),
        (1, Some(7)),
        (8, None),
    ];
    for (id, occurrence) in log {
        connection
            .execute(
                "INSERT INTO log (channel, seq, previous, published_at, id, occurrence, principal, payload)
                 VALUES (1, 1, 0, 1, ?1, ?2, '', '1')",
                rusqlite::params![[id], occurrence],
            )
            .unwrap();
    }
    connection.execute_batch(order.1).unwrap();
    let mut select = connection.prepare("SELECT place FROM log ORDER BY row").unwrap();
    let places = select.query_map([], |row| row.get::<_, Option<[u8; 1]>>(0));
    let places: Vec<_> = places
        .unwrap()
        .map(|place| place.unwrap().map(|[id]| id))
        .collect();
    assert_eq!(places, [Some(2), Some(2), None, Some(4), None, Some(6), None]);
}
