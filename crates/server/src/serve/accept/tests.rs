use super::*;

#[test]
fn failing_accepts_back_off_to_one_second_and_no_further() {
    let pauses: Vec<u128> = [1, 2, 3, 7, 8, 9, u32::MAX]
        .into_iter()
        .map(|failures| pause_after(failures).as_millis())
        .collect();
    assert_eq!(pauses, [10, 20, 40, 640, 1000, 1000, 1000]);
}

#[test]
fn the_answer_to_one_too_many_names_the_length_of_its_body() {
    let text = std::str::from_utf8(TOO_MANY_CONNECTIONS).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
}

#[test]
fn too_many_open_files_is_not_about_one_connection() {
    const EMFILE: i32 = 24;
    assert!(!is_about_one_connection(&io::Error::from_raw_os_error(EMFILE)));
    assert!(is_about_one_connection(&io::ErrorKind::ConnectionAborted.into()));
}
