use std::net::SocketAddr;

use anyhow::Context as _;
use server::serve::Listener;
use server::serve::tls::Tls;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;

use super::load_tls;
use crate::config::settings::Config;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;

/// Bound sockets with the certificate to show on them.
pub struct Listeners {
    sockets: Vec<(TcpListener, SocketAddr)>,
    tls: Option<Tls>,
}

impl Listeners {
    /// Binds every address of the configuration.
    ///
    /// # Errors
    ///
    /// An address that is taken or not of this machine; certificate files that cannot be used.
    pub fn bind(config: &Config) -> anyhow::Result<Self> {
        let tls = match config.tls_files() {
            Some((cert, key)) => Some(load_tls(cert, key)?),
            None => None,
        };
        let mut sockets = Vec::new();
        for address in config.addresses() {
            let socket = listen(address).with_context(|| format!("cannot listen on {address}"))?;
            let bound = socket.local_addr().context("a bound socket has no address")?;
            sockets.push((socket, bound));
        }
        Ok(Self { sockets, tls })
    }

    /// `http://127.0.0.1:8000` of each, with the port that was taken.
    pub fn urls(&self) -> Vec<String> {
        let scheme = if self.have_tls() { "https" } else { "http" };
        self.sockets
            .iter()
            .map(|(_, address)| format!("{scheme}://{address}"))
            .collect()
    }

    /// Whether TLS is spoken.
    pub fn have_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The listeners as the server takes them.
    pub fn into_parts(self) -> Vec<Listener> {
        let tls = self.tls;
        let sockets = self.sockets.into_iter();
        sockets
            .map(|(socket, _)| Listener {
                socket,
                tls: tls.clone(),
            })
            .collect()
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A server that starts again must not wait for the connections of the one before.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` beside `0.0.0.0` are two listeners, whatever the system's default says.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
