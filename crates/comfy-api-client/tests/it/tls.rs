//! Servers that speak TLS, as those behind a proxy do: the same trust for requests and for the WebSocket.

use std::sync::Arc;

use comfy_api_client::{Client, ClientBuilder, ErrorKind, Tracking};
use comfy_sim::Sim;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::support::{fresh, in_time, picture};

/// Somebody who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key.
    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate, key)
    }
}

/// A simulator behind TLS.
struct Server {
    url: String,
    authority: Authority,
    _sim: Sim,
}

impl Server {
    async fn start(clients: Option<&Authority>) -> Self {
        let sim = Sim::start().await.unwrap();
        let authority = Authority::new();
        let (certificate, key) = authority.sign("localhost");
        let config = ServerConfig::builder();
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).unwrap();
                config.with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let plain = sim.address();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut upstream = TcpStream::connect(plain).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
                });
            }
        });
        Self { url, authority, _sim: sim }
    }

    fn builder(&self) -> ClientBuilder {
        // The socket must be had, since it has to be trusted like the rest.
        Client::builder(&self.url).tracking(Tracking::WebSocket)
    }
}

async fn runs(builder: ClientBuilder) {
    in_time(async {
        let client = builder.connect().await.unwrap();
        let outputs = client.submit(&picture(fresh())).await.unwrap().await.unwrap();
        assert_eq!(outputs.files().count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_certificate_is_trusted_when_its_root_is_given_or_everybody_is_trusted() {
    let server = Server::start(None).await;
    let error = in_time(server.builder().connect()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.to_string().contains("is not trusted"), "{error}");
    runs(server.builder().root_certificates(server.authority.pem())).await;
    runs(server.builder().danger_accept_invalid_certificates(true)).await;
    let other = Authority::new();
    let error = in_time(server.builder().root_certificates(other.pem()).connect()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_gets_one() {
    let clients = Authority::new();
    let server = Server::start(Some(&clients)).await;
    let trusting = || server.builder().root_certificates(server.authority.pem());
    let error = in_time(trusting().connect()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Tls | ErrorKind::Disconnected), "{error:?}");
    let (certificate, key) = clients.sign("somebody");
    runs(trusting().client_certificate(certificate.pem() + &key.serialize_pem())).await;
}

#[test]
fn what_is_no_certificate_is_said_to_be_none() {
    let error = Client::builder("https://host").root_certificates("no certificate").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(error.to_string().contains("root certificate"), "{error}");
    let error = Client::builder("https://host").client_certificate("no certificate").build().unwrap_err();
    assert!(error.to_string().contains("client certificate cannot be used"), "{error}");
}
