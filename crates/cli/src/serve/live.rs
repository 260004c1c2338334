use std::time::Duration;

use server::{realtime, rt};

use crate::config::settings::Config;

/// Connections are looked at so often at least.
const BEAT: Duration = Duration::from_secs(5);

/// The limits of the WebSocket `/api/realtime`.
pub fn realtime_options(config: &Config) -> realtime::Options {
    let settings = &config.realtime;
    let (ping, position) = (settings.ping_interval.0, settings.position_interval.0);
    let stall = config.server.write_stall_timeout.0;
    realtime::Options {
        // The other times are rounded up to multiples of it.
        beat: BEAT.min(ping).min(position).min(stall / 6),
        position,
        ping,
        stall,
        publishes: settings.publishes,
        publish_bytes: settings.publish_bytes,
        inboxes: settings.inboxes,
    }
}

/// The limits of Backendless RT.
pub fn rt_options(config: &Config) -> rt::options::Options {
    let settings = &config.rt;
    rt::options::Options {
        ping_interval: settings.ping_interval.0,
        ping_timeout: settings.ping_timeout.0,
        pong_timeout: settings.pong_timeout.0,
        connect_timeout: settings.connect_timeout.0,
        upgrade_timeout: settings.upgrade_timeout.0,
        max_payload: settings.max_payload,
        max_sessions: config.server.max_connections,
        max_waiting: settings.max_waiting,
        window: settings.window,
        confirm_after: settings.confirm_after.0,
        resume: settings.resume.0,
        max_kept: settings.max_kept,
        stall: config.server.write_stall_timeout.0,
        tick: rt::options::Options::default().tick,
    }
}

#[cfg(test)]
mod tests;
