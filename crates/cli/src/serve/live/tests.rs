use model::time::Span;

use super::*;

#[test]
fn the_defaults_of_the_configuration_are_those_of_the_server() {
    let config = Config::default();
    assert_eq!(realtime_options(&config), realtime::Options::default());
    assert_eq!(rt_options(&config), rt::options::Options::default());
}

#[test]
fn connections_are_looked_at_as_often_as_the_shortest_time_needs() {
    let mut config = Config::default();
    config.server.write_stall_timeout = Span::seconds(3);
    assert_eq!(realtime_options(&config).beat, Duration::from_millis(500));
    assert_eq!(realtime_options(&config).stall, Duration::from_secs(3));
    config.server.write_stall_timeout = Span::seconds(60);
    config.realtime.ping_interval = Span::seconds(2);
    assert_eq!(realtime_options(&config).beat, Duration::from_secs(2));
    config.realtime.position_interval = Span::seconds(1);
    assert_eq!(realtime_options(&config).beat, Duration::from_secs(1));
}
