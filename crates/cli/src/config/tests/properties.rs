use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = from_file(&text);
    }

    #[test]
    fn no_toml_makes_the_reader_panic(
        keys in prop::collection::vec(
            ("(listen|data|tls|log|server|store|hub|apps|x)(\\.[a-z_*]{1,12}){0,4}", "(-?[0-9]{1,20}|true|\\[\\]|\\{\\}|'[a-z:/ ]{0,12}'|1979-05-27|nan|\\[\\{\\}\\])"),
            0..6,
        )
    ) {
        let text: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        if let Err(Problems(problems)) = from_file(&text) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                let place = problem.source.as_ref().map(ToString::to_string).unwrap_or_default();
                prop_assert!(place.starts_with("postbell.toml:"), "{problem} has no place");
            }
        }
    }

    #[test]
    fn a_variable_sets_what_the_file_sets(connections in 1_usize..1_000_000, stop in 1_u64..9, proxy in any::<std::net::IpAddr>()) {
        let file = format!("trusted_proxies = ['{proxy}']\n[server]\nmax_connections = {connections}\nstop_timeout = '{stop}s'");
        let by_file = from_file(&file).unwrap().config;
        let variables = [
            ("POSTBELL_SERVER__MAX_CONNECTIONS", connections.to_string()),
            ("POSTBELL_SERVER__STOP_TIMEOUT", format!("{stop}s")),
            ("POSTBELL_TRUSTED_PROXIES", proxy.to_string()),
        ];
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let by_environment = assembled("", &variables, &Flags::default()).unwrap().config;
        prop_assert_eq!(by_file, by_environment);
    }

    #[test]
    fn no_variable_makes_the_reader_panic(name in "[A-Z_]{0,30}", value in "\\PC{0,40}") {
        let _ = assembled("", &[(&format!("POSTBELL_{name}"), &value)], &Flags::default());
    }
}
