use super::*;

#[test]
fn a_limit_of_live_connections_out_of_its_range_is_named_with_the_range() {
    let file = "[realtime]\nping_interval = '100ms'\nposition_interval = '2h'\npublishes = 0\npublish_bytes = 1\n\
                inboxes = 10001\n[rt]\nping_interval = '0s'\nping_timeout = '2h'\npong_timeout = '999ms'\n\
                connect_timeout = '11m'\nupgrade_timeout = '11m'\nmax_payload = 1\nmax_waiting = 1\nwindow = 1\n\
                confirm_after = '11m'\nresume = '2d'\nmax_kept = 10000001";
    assert_snapshot!(problems(from_file(file)), @r"
    realtime.publishes: expected 1 to 10000, found 0 (postbell.toml:4)
    realtime.publish_bytes: expected 65536 to 1073741824, found 1 (postbell.toml:5)
    realtime.inboxes: expected 0 to 10000, found 10001 (postbell.toml:6)
    rt.max_payload: expected 4096 to 67108864, found 1 (postbell.toml:13)
    rt.max_waiting: expected 65536 to 1073741824, found 1 (postbell.toml:14)
    rt.window: expected 16384 to 1073741824, found 1 (postbell.toml:15)
    rt.max_kept: expected 0 to 10000000, found 10000001 (postbell.toml:18)
    realtime.ping_interval: expected 1s to 3600s, found 100ms (postbell.toml:2)
    realtime.position_interval: expected 1s to 3600s, found 2h (postbell.toml:3)
    rt.ping_interval: expected 1s to 3600s, found 0ms (postbell.toml:8)
    rt.ping_timeout: expected 1s to 3600s, found 2h (postbell.toml:9)
    rt.pong_timeout: expected 1s to 3600s, found 999ms (postbell.toml:10)
    rt.connect_timeout: expected 1s to 600s, found 11m (postbell.toml:11)
    rt.upgrade_timeout: expected 1s to 600s, found 11m (postbell.toml:12)
    rt.confirm_after: expected 1s to 600s, found 11m (postbell.toml:16)
    rt.resume: expected 1s to 86400s, found 2d (postbell.toml:17)
    ");
}
