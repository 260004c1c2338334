use std::net::SocketAddr;
use std::time::Duration;

use model::time::Span;
use server::serve::proxies::Network;

use super::Problem;
use super::layer::Layer;
use super::settings::Config;

impl Config {
    /// Checks what the types alone do not. `given` tells where values came from.
    pub fn check(&self, dev: bool, given: &Layer, problems: &mut Vec<Problem>) {
        let mut wrong = |path: &str, text: String| {
            problems.push(Problem {
                text: format!("{path}: {text}"),
                source: given.source(path).cloned(),
            });
        };
        if self.listen.is_empty() {
            wrong("listen", "expected at least one ADDR:PORT".to_owned());
        }
        for text in &self.listen {
            match text.parse::<SocketAddr>() {
                Err(_) => wrong(
                    "listen",
                    format!("expected ADDR:PORT such as 127.0.0.1:8000 or [::1]:8000, found {text:?}"),
                ),
                Ok(address) if dev && !address.ip().is_loopback() => wrong(
                    "listen",
                    format!("--dev listens on the loopback only (127.0.0.1 or [::1]), found {address}"),
                ),
                Ok(_) => {}
            }
        }
        for text in &self.trusted_proxies {
            if let Err(error) = text.parse::<Network>() {
                wrong("trusted_proxies", error.to_string());
            }
        }
        if let Some(url) = &self.public_url
            && !is_origin(url)
        {
            let text = format!("expected http:// or https://, a host and nothing behind it, found {url:?}");
            wrong("public_url", text);
        }
        if let Some(domain) = &self.base_domain
            && !is_domain(domain)
        {
            wrong(
                "base_domain",
                format!("expected a domain such as postbell.example, found {domain:?}"),
            );
        }
        match (&self.tls.cert, &self.tls.key) {
            (Some(_), None) => wrong("tls.cert", "tls.key is missing: give both".to_owned()),
            (None, Some(_)) => wrong("tls.key", "tls.cert is missing: give both".to_owned()),
            (Some(_), Some(_)) if dev => {
                wrong(
                    "tls.cert",
                    "--dev serves plain HTTP: leave tls.cert and tls.key out".to_owned(),
                );
            }
            _ => {}
        }
        if let Err(error) = tracing_subscriber::EnvFilter::builder().parse(&self.log.level) {
            let found = &self.log.level;
            wrong(
                "log.level",
                format!("expected a level such as info or a filter, found {found:?}: {error}"),
            );
        }
        if let Err(error) = self.store_location() {
            wrong("store.url", error.to_string());
        }
        self.check_ranges(&mut wrong);
    }

    fn check_ranges(&self, wrong: &mut dyn FnMut(&str, String)) {
        let server = &self.server;
        let counts = [
            ("server.max_connections", server.max_connections, 1, 10_000_000),
            (
                "server.max_header_bytes",
                server.max_header_bytes as usize,
                8_192,
                1_048_576,
            ),
            (
                "server.http2_max_streams",
                server.http2_max_streams as usize,
                1,
                100_000,
            ),
            ("server.max_imports", server.max_imports, 1, 64),
            ("store.queue_bytes", self.store.queue_bytes, 1_048_576, 1 << 34),
            ("store.batch_bytes", self.store.batch_bytes, 65_536, 1 << 30),
            ("store.batch_jobs", self.store.batch_jobs, 1, 65_536),
            ("store.readers", self.store.readers, 1, 256),
            ("hub.ring_messages", self.hub.ring_messages, 1, 1_000_000),
            ("hub.ring_bytes", self.hub.ring_bytes, 1_048_576, 1 << 36),
            (
                "hub.page_cache_bytes",
                self.hub.page_cache_bytes,
                1_048_576,
                1 << 36,
            ),
            ("hub.concurrent_reads", self.hub.concurrent_reads, 1, 256),
            ("realtime.publishes", self.realtime.publishes, 1, 10_000),
            (
                "realtime.publish_bytes",
                self.realtime.publish_bytes,
                65_536,
                1 << 30,
            ),
            ("realtime.inboxes", self.realtime.inboxes, 0, 10_000),
            ("rt.max_payload", self.rt.max_payload, 4_096, 1 << 26),
            ("rt.max_waiting", self.rt.max_waiting, 65_536, 1 << 30),
            ("rt.window", self.rt.window, 16_384, 1 << 30),
            ("rt.max_kept", self.rt.max_kept, 0, 10_000_000),
        ];
        for (path, found, least, most) in counts {
            if !(least..=most).contains(&found) {
                wrong(path, format!("expected {least} to {most}, found {found}"));
            }
        }
        let second = Duration::from_secs(1);
        let spans = [
            ("server.first_byte_timeout", server.first_byte_timeout, 600),
            ("server.tls_handshake_timeout", server.tls_handshake_timeout, 600),
            ("server.header_read_timeout", server.header_read_timeout, 3_600),
            ("server.body_idle_timeout", server.body_idle_timeout, 3_600),
            ("server.write_stall_timeout", server.write_stall_timeout, 3_600),
            ("server.tls_reload_interval", server.tls_reload_interval, 86_400),
            ("server.stop_timeout", server.stop_timeout, 9),
            ("server.import_wait", server.import_wait, 600),
        ];
        for (path, Span(found), most) in spans {
            let least = Duration::from_millis(100);
            if found < least || found > second * most {
                let found = model::time::format_duration(found);
                wrong(path, format!("expected 100ms to {most}s, found {found}"));
            }
        }
        self.check_live_times(wrong);
    }

    /// Sessions and connections are looked at once a second, or as seldom as every shorter time allows.
    fn check_live_times(&self, wrong: &mut dyn FnMut(&str, String)) {
        let (realtime, rt) = (&self.realtime, &self.rt);
        let spans = [
            ("realtime.ping_interval", realtime.ping_interval, 3_600),
            ("realtime.position_interval", realtime.position_interval, 3_600),
            ("rt.ping_interval", rt.ping_interval, 3_600),
            ("rt.ping_timeout", rt.ping_timeout, 3_600),
            ("rt.pong_timeout", rt.pong_timeout, 3_600),
            ("rt.connect_timeout", rt.connect_timeout, 600),
            ("rt.upgrade_timeout", rt.upgrade_timeout, 600),
            ("rt.confirm_after", rt.confirm_after, 600),
            ("rt.resume", rt.resume, 86_400),
        ];
        let second = Duration::from_secs(1);
        for (path, Span(found), most) in spans {
            if found < second || found > second * most {
                let found = model::time::format_duration(found);
                wrong(path, format!("expected 1s to {most}s, found {found}"));
            }
        }
    }
}

fn is_origin(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|host| {
        let host = host.strip_suffix('/').unwrap_or(host);
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '@'))
    })
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.len() <= 190 && domain.split('.').all(label)
}
