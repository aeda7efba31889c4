//! How to get into an S3-compatible store.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

/// How long one request is tried again. A load that fails is repeated by those who asked for it.
const RETRY: Duration = Duration::from_secs(20);

/// Options by the names that Flink's configuration has for them: `s3.endpoint`, `s3.access-key`.
/// What they do not say is taken from the environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`,
/// ...), as AWS's own tools do.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    options: BTreeMap<String, String>,
}

impl Settings {
    /// Takes the options that reading needs; others of Flink's `s3.*` mean nothing here.
    pub fn new<K: Into<String>, V: Into<String>>(
        options: impl IntoIterator<Item = (K, V)>,
    ) -> Settings {
        let options = options.into_iter().map(|(k, v)| (k.into(), v.into()));
        Settings {
            options: options.filter(|(name, _)| key(name).is_some()).collect(),
        }
    }

    pub(super) fn apply(&self, mut builder: AmazonS3Builder) -> AmazonS3Builder {
        for (name, value) in &self.options {
            builder = match key(name) {
                Some(Key::Config(key)) => builder.with_config(key, value),
                Some(Key::PathStyle) => builder.with_virtual_hosted_style_request(value != "true"),
                None => builder,
            };
        }
        // Whoever names an endpoint of http: has decided that.
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
        let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        builder.with_allow_http(plain).with_retry(RetryConfig {
            retry_timeout: RETRY,
            ..RetryConfig::default()
        })
    }
}

enum Key {
    Config(AmazonS3ConfigKey),
    PathStyle,
}

fn key(name: &str) -> Option<Key> {
    Some(match name {
        "s3.access-key" | "s3.access.key" => Key::Config(AmazonS3ConfigKey::AccessKeyId),
        "s3.secret-key" | "s3.secret.key" => Key::Config(AmazonS3ConfigKey::SecretAccessKey),
        "s3.session-token" | "s3.session.token" => Key::Config(AmazonS3ConfigKey::Token),
        "s3.endpoint" => Key::Config(AmazonS3ConfigKey::Endpoint),
        "s3.endpoint.region" | "s3.region" => Key::Config(AmazonS3ConfigKey::Region),
        "s3.path.style.access" | "s3.path-style-access" => Key::PathStyle,
        _ => return None,
    })
}

impl fmt::Debug for Settings {
    /// The names only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.options.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed_and_other_options_are_left() {
        let settings = Settings::new([
            ("s3.secret-key", "hush"),
            ("s3.entropy.key", "x"),
            ("s3.endpoint", "http://localhost:9000"),
        ]);
        assert_eq!(
            format!("{settings:?}"),
            "{\"s3.endpoint\", \"s3.secret-key\"}"
        );
        let builder = settings.apply(AmazonS3Builder::new());
        let value = |key| builder.get_config_value(&key);
        assert_eq!(
            value(AmazonS3ConfigKey::SecretAccessKey).as_deref(),
            Some("hush")
        );
    }
}
