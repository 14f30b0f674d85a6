//! One TLS configuration for HTTP and the WebSocket.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::{Error, ErrorKind, Result};

/// The configuration that trusts what the platform trusts.
///
/// For a plain address it trusts nothing: looking for the platform's certificates fails where there are none, as in
/// slim containers, and must not keep anybody from speaking plain HTTP.
pub(crate) fn client_config(is_tls: bool) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    if is_tls { verified(provider) } else { trusting_nothing(provider) }.map_err(|error| {
        Error::new(ErrorKind::Tls, "cannot set up TLS")
            .with_source(error)
            .with_hint("install the root certificates of your system")
    })
}

fn verified(provider: Arc<CryptoProvider>) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}

fn trusting_nothing(provider: Arc<CryptoProvider>) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}
