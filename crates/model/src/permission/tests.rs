use super::*;

fn user(id: &str, roles: &[&str]) -> Principal {
    Principal::User {
        id: id.into(),
        roles: roles.iter().map(|role| (*role).into()).collect(),
    }
}

fn key(name: &str, scopes: &[Scope]) -> Principal {
    Principal::Key {
        name: name.parse().unwrap(),
        scopes: scopes.iter().copied().collect(),
    }
}

fn rule(pattern: &str, publish: &[&str], subscribe: &[&str]) -> ChannelRule {
    let who = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    ChannelRule {
        pattern: ChannelPattern::new(pattern),
        publish: who(publish),
        subscribe: who(subscribe),
    }
}

#[test]
fn without_a_rule_users_and_keys_with_the_scope_are_let_in() {
    let allowed = |principal: &Principal, access| is_allowed(&[], principal, access, "news");
    assert!(allowed(&user("1", &[]), Access::Publish));
    assert!(allowed(&key("app", &[Scope::Publish]), Access::Publish));
    assert!(!allowed(&key("app", &[Scope::Publish]), Access::Subscribe));
    assert!(allowed(&key("root", &[Scope::Admin]), Access::Subscribe));
    assert!(!allowed(&Principal::Anonymous, Access::Subscribe));
}

#[test]
fn the_first_rule_that_matches_decides_alone() {
    let rules = [
        rule("news.*", &["role:editor", "key:cms"], &["anyone"]),
        rule("*", &["authenticated"], &["user:7"]),
    ];
    let allowed = |principal: &Principal, access, channel| is_allowed(&rules, principal, access, channel);
    assert!(allowed(&Principal::Anonymous, Access::Subscribe, "news.sports"));
    assert!(!allowed(&Principal::Anonymous, Access::Subscribe, "other"));
    assert!(allowed(&user("1", &["editor"]), Access::Publish, "news.sports"));
    assert!(!allowed(&user("1", &["reader"]), Access::Publish, "news.sports"));
    assert!(allowed(&key("cms", &[]), Access::Publish, "news.sports"));
    assert!(!allowed(
        &key("app", &[Scope::Publish]),
        Access::Publish,
        "news.sports"
    ));
    assert!(allowed(&user("7", &[]), Access::Subscribe, "other"));
    assert!(!allowed(&user("8", &[]), Access::Subscribe, "other"));
    assert!(allowed(&key("root", &[Scope::Admin]), Access::Publish, "other"));
}

#[test]
fn an_absent_list_means_nobody() {
    let rules = [rule("*", &[], &[])];
    assert!(!is_allowed(&rules, &user("1", &[]), Access::Publish, "news"));
    assert!(!is_allowed(
        &rules,
        &key("app", &[Scope::Subscribe]),
        Access::Subscribe,
        "news"
    ));
}

#[test]
fn who_is_written_as_it_is_read() {
    for text in ["anyone", "authenticated", "key:cms", "role:editor", "user:a:b"] {
        assert_eq!(text.parse::<Who>().unwrap().to_string(), text);
    }
    for text in ["", "everyone", "key:", "group:x"] {
        assert!(text.parse::<Who>().is_err(), "{text}");
    }
}
