use std::collections::HashMap;
use std::io::Write as _;

use super::secret;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn the_nearest_source_of_a_secret_wins() {
    let (on_line, in_environment) = (file("from-flag-file\n"), file("  from-env-file  "));
    let path = in_environment.path().to_str().unwrap().to_owned();
    let full = HashMap::from([("K", "from-env".to_owned()), ("K_FILE", path.clone())]);
    let only_file = HashMap::from([("K", String::new()), ("K_FILE", path)]);
    let full = |name: &str| full.get(name).cloned();
    let only_file = |name: &str| only_file.get(name).cloned();
    let flag = Some("from-flag".to_owned());
    assert_eq!(
        secret(flag, None, "K", full).unwrap().as_deref(),
        Some("from-flag")
    );
    assert_eq!(
        secret(None, Some(on_line.path()), "K", full).unwrap().as_deref(),
        Some("from-flag-file")
    );
    assert_eq!(
        secret(None, None, "K", full).unwrap().as_deref(),
        Some("from-env")
    );
    assert_eq!(
        secret(None, None, "K", only_file).unwrap().as_deref(),
        Some("from-env-file")
    );
    assert_eq!(secret(None, None, "K", |_| None).unwrap(), None);
}

#[test]
fn an_empty_or_absent_secret_file_is_an_error_that_names_it() {
    let empty = file(" \n");
    let path = empty.path().display().to_string();
    assert!(
        secret(None, Some(empty.path()), "K", |_| None)
            .unwrap_err()
            .to_string()
            .contains(&path)
    );
    let error = secret(None, None, "K", |name| {
        (name == "K_FILE").then(|| "/no/such/key".to_owned())
    })
    .unwrap_err();
    assert!(error.to_string().contains("/no/such/key"));
}
