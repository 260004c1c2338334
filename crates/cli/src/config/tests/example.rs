use super::*;

/// The example file with every setting uncommented: prose has a space after the `#`.
fn uncommented_example() -> String {
    let example = include_str!("../../../../../postbell.example.toml");
    let lines = example.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_file_as_it_is_gives_the_defaults() {
    let example = include_str!("../../../../../postbell.example.toml");
    let loaded = from_file(example).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.apps.is_empty());
}

#[test]
fn the_example_file_names_every_setting_with_its_default() {
    let text = uncommented_example();
    let layer = document::read(&PathBuf::from("example"), &text).unwrap();
    let mut unknown = Vec::new();
    Schema::of_configuration().refuse_unknown(&mut layer.clone(), &mut unknown);
    assert_eq!(unknown, []);

    let mut defaults = apps::tree(&Config::default());
    let app = apps::tree(&model::settings::AppSettings::default());
    defaults.insert("apps".to_owned(), serde_json::json!({"default": app}));
    let defaults = Layer {
        values: defaults,
        ..Layer::default()
    };
    for path in Schema::of_configuration().paths() {
        let path = path.replacen(schema::ANY, "default", 1);
        let path = path.strip_suffix(".*").unwrap_or(&path);
        let shown = layer
            .get(path)
            .unwrap_or_else(|| panic!("the example lacks {path}"));
        // Rules and windows are lists that begin empty; the example shows one of each.
        let is_example = ["apps.default.channels", "apps.default.history.windows"].contains(&path);
        if let Some(default) = defaults.get(path)
            && !is_example
        {
            assert_eq!(shown, default, "{path}");
        }
    }
}
