use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::Phase;

/// A certificate chain and its key from PEM files, shown to clients and reloaded when the files
/// change (api.md 5). Cloning it is cheap; clones show the same certificate.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    files: PemFiles,
    first_seen: u64,
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    reloads: watch::Sender<Reloads>,
}

/// How often a change of the files was noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reloads {
    /// Changes that were good and are shown.
    pub swapped: u64,
    /// Changes that were not: the pair before stays.
    pub refused: u64,
}

/// Why a certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("the TLS file {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate file is not PEM.
    #[error("the TLS certificate file {} is not valid PEM", path.display())]
    CertificatePem {
        /// Which file.
        path: PathBuf,
        /// Where it goes wrong.
        source: pem::Error,
    },
    /// The certificate file is PEM, but holds no certificate.
    #[error(
        "the TLS certificate file {} holds no certificate: expected PEM with BEGIN CERTIFICATE, the server's own first",
        path.display()
    )]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// The key file holds no private key.
    #[error(
        "the TLS key file {} holds no private key: expected PEM with BEGIN PRIVATE KEY (or RSA or EC PRIVATE KEY), not encrypted",
        path.display()
    )]
    KeyPem {
        /// Which file.
        path: PathBuf,
        /// Where it goes wrong.
        source: pem::Error,
    },
    /// The two do not belong together, or one is of an unknown kind.
    #[error(
        "the TLS certificate {} and the key {} cannot be used together",
        certificate.display(),
        key.display()
    )]
    Pair {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The provider supports no version of TLS that is safe, or gives no random bytes.
    #[error("TLS cannot be set up")]
    SetUp(#[source] rustls::Error),
}

impl Tls {
    /// Reads both PEM files and checks that they belong together. TLS 1.2 and 1.3, ALPN `h2` and
    /// `http/1.1`.
    ///
    /// # Errors
    ///
    /// [`Error`] names the file and what was expected in it.
    pub fn load(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, Error> {
        let files = PemFiles {
            certificate: certificate.into(),
            key: key.into(),
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let contents = files.read()?;
        let shown = Arc::new(Shown {
            pair: ArcSwap::from_pointee(files.pair(&contents, &provider)?),
        });
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&shown) as _;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::SetUp)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Sessions resume by ticket, which costs no memory here.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(Error::SetUp)?;
        Ok(Self(Arc::new(Inner {
            first_seen: contents.fingerprint(),
            files,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            shown,
            reloads: watch::Sender::new(Reloads::default()),
        })))
    }

    /// Follows the changes of the files that were noticed.
    pub fn reloads(&self) -> watch::Receiver<Reloads> {
        self.0.reloads.subscribe()
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.0.acceptor
    }

    /// Looks at the files every `period` until the server stops, and shows a new pair once it is
    /// whole and right. The contents are compared, not only times: files that are swapped through
    /// symbolic links may be older than those before.
    pub(super) async fn follow_files(self, period: Duration, mut stop: watch::Receiver<Phase>) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = self.0.first_seen;
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|phase| *phase != Phase::Serving) => return,
                _ = ticks.tick() => {}
            }
            let tls = self.clone();
            // A task that reads files may be on a slow disk: not on a thread that serves.
            match tokio::task::spawn_blocking(move || tls.reload(seen)).await {
                Ok(now) => seen = now,
                Err(error) => tracing::error!(%error, "looking at the TLS files failed"),
            }
        }
    }

    /// Compares the files with what was `seen` last and swaps if they changed. Returns what is seen
    /// now, so that a bad pair is reported once and not at every look.
    fn reload(&self, seen: u64) -> u64 {
        let Inner {
            files,
            shown,
            reloads,
            ..
        } = &*self.0;
        let contents = files.read();
        let now = match &contents {
            Ok(contents) => contents.fingerprint(),
            Err(error) => fingerprint_of(&error.to_string()),
        };
        if now == seen {
            return seen;
        }
        let provider = aws_lc_rs::default_provider();
        match contents.and_then(|contents| files.pair(&contents, &provider)) {
            Ok(pair) => {
                shown.pair.store(Arc::new(pair));
                reloads.send_modify(|reloads| reloads.swapped += 1);
                tracing::info!(tls.certificate = %files.certificate.display(), "a new TLS certificate is in use");
            }
            Err(error) => {
                reloads.send_modify(|reloads| reloads.refused += 1);
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the changed TLS files cannot be used: the certificate before stays"
                );
            }
        }
        now
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.0.files.certificate)
            .finish_non_exhaustive()
    }
}

/// The pair that is shown now; a handshake takes it without waiting.
#[derive(Debug)]
struct Shown {
    pair: ArcSwap<CertifiedKey>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair.load_full())
    }
}

struct PemFiles {
    certificate: PathBuf,
    key: PathBuf,
}

struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl PemFiles {
    fn read(&self) -> Result<Contents, Error> {
        Ok(Contents {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
        })
    }

    fn pair(&self, contents: &Contents, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<_, _>>()
            .map_err(|source| Error::CertificatePem {
                path: self.certificate.clone(),
                source,
            })?;
        if chain.is_empty() {
            return Err(Error::NoCertificate {
                path: self.certificate.clone(),
            });
        }
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|source| Error::KeyPem {
            path: self.key.clone(),
            source,
        })?;
        CertifiedKey::from_der(chain, key, provider).map_err(|source| Error::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })
    }
}

impl Contents {
    fn fingerprint(&self) -> u64 {
        fingerprint_of(&(&self.certificate, &self.key))
    }
}

fn fingerprint_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}
