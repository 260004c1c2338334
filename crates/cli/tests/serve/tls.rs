use crate::server::{Server, run, stdout};

#[test]
fn https_is_served_from_pem_files_and_the_commands_speak_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), certified.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    let variables = [
        ("POSTBELL_TLS__CERT", "cert.pem"),
        ("POSTBELL_TLS__KEY", "key.pem"),
    ];
    let key = stdout(folder, "key create --preset app --name cms");
    std::fs::write(folder.join("cms.key"), &key).unwrap();
    let mut server = Server::start(folder, "serve --listen 127.0.0.1:0", &variables);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    assert!(!server.stderr().contains("403"), "{}", server.stderr());

    let url = server.url.clone();
    let id = stdout(
        folder,
        &format!("publish news hello --key-file cms.key --ca-file cert.pem --url {url}"),
    );
    assert!(id.starts_with("message:"), "{id}");
    let untrusted = run(
        folder,
        &format!("publish news hello --key-file cms.key --url {url}"),
    );
    assert_eq!(
        untrusted.status.code(),
        Some(1),
        "a certificate of nobody known is not trusted"
    );
    server.stop();
}
