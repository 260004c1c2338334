use model::ids::IdSource;

use super::*;

/// Fills with one byte.
struct Constant(u8);

impl IdSource for Constant {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

const NOW: UnixMillis = UnixMillis(1_780_272_000_000);

fn millis(id: uuid::Uuid) -> i64 {
    let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
    seconds as i64 * 1_000 + i64::from(nanos) / 1_000_000
}

#[test]
fn ids_of_one_millisecond_ascend_whatever_the_random_numbers() {
    for byte in [0, 1, 0x7f, 0xff] {
        let mut mint = IdMint::default();
        let mut last = mint.mint(NOW, &Constant(byte));
        assert_eq!(millis(last), NOW.0);
        for _ in 0..10_000 {
            let next = mint.mint(NOW, &Constant(byte));
            assert!(last < next, "{last} was followed by {next}");
            assert_eq!((next.get_version_num(), millis(next)), (7, NOW.0));
            last = next;
        }
    }
}

#[test]
fn a_millisecond_that_is_used_up_runs_into_the_next() {
    let mut mint = IdMint {
        millis: NOW.0,
        random: (1 << RANDOM_BITS) - 1,
    };
    let id = mint.mint(NOW, &Constant(0));
    assert_eq!(millis(id), NOW.0 + 1);
    assert!(mint.mint(NOW, &Constant(0)) > id);
}

#[test]
fn a_clock_set_back_changes_nothing() {
    let mut mint = IdMint::default();
    let first = mint.mint(NOW, &Constant(9));
    let second = mint.mint(UnixMillis(NOW.0 - 60_000), &Constant(9));
    assert!(first < second);
    assert_eq!(millis(second), NOW.0);
    assert_eq!(millis(mint.mint(UnixMillis(NOW.0 + 5), &Constant(9))), NOW.0 + 5);
}

#[test]
fn a_mint_goes_on_after_the_last_id_of_the_log_and_of_the_schedules() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE log (row INTEGER PRIMARY KEY, id BLOB NOT NULL, place BLOB);
             CREATE TABLE schedules (schedule INTEGER PRIMARY KEY, id BLOB NOT NULL)",
        )
        .unwrap();
    assert_eq!(IdMint::after_last_of(&connection).unwrap().millis, 0);
    let mut mint = IdMint::default();
    let first = mint.mint(NOW, &Constant(0xa5));
    for (table, byte) in [("log", 0xff), ("schedules", 0xa5), ("log", 0)] {
        let last = mint.mint(NOW, &Constant(byte));
        let insert = format!("INSERT INTO {table} (id) VALUES (?1)");
        connection.execute(&insert, [last.as_bytes().as_slice()]).unwrap();
        // An occurrence at the end of the log has the old id of its schedule.
        let occurrence = [first, last].map(uuid::Uuid::into_bytes);
        connection
            .execute("INSERT INTO log (id, place) VALUES (?1, ?2)", occurrence)
            .unwrap();
        let again = IdMint::after_last_of(&connection).unwrap();
        assert_eq!((again.millis, again.random), (mint.millis, mint.random));
    }
}
