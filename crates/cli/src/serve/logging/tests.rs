use super::quieted;

#[test]
fn libraries_stay_at_info_unless_they_are_named() {
    let written = |filter| {
        let mut directives: Vec<_> = quieted(filter)
            .unwrap()
            .to_string()
            .split(',')
            .map(str::to_owned)
            .collect();
        directives.sort();
        directives.join(",")
    };
    assert_eq!(written("info"), "info");
    assert_eq!(
        written("debug"),
        "debug,h2=info,hyper=info,hyper_util=info,reqwest=info,rustls=info"
    );
    assert_eq!(
        written("trace,h2=trace"),
        "h2=trace,hyper=info,hyper_util=info,reqwest=info,rustls=info,trace"
    );
    assert!(quieted("a=b=c").is_err());
}
