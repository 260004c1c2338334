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
