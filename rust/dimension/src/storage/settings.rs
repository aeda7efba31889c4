//! How to get into an S3-compatible store.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

/// How long one request is tried again. A load that fails is repeated by those who asked for it.
const RETRY: Duration = Duration::from_secs(20);

/// The beginnings under which Flink's S3 file systems know one option. Where it stands under two,
/// the later one counts.
const PREFIXES: [&str; 4] = ["presto.s3.", "fs.s3a.", "s3a.", "s3."];

/// Options by the names that Flink's configuration has for them: `s3.endpoint`, `s3.access-key`.
/// What they do not say is taken from the environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`,
/// ...), as AWS's own tools do.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Without their beginnings, in one spelling.
    options: BTreeMap<&'static str, String>,
}

impl Settings {
    /// Takes the options that reading needs; others of Flink's `s3.*` mean nothing here.
    pub fn new<K: AsRef<str>, V: Into<String>>(
        options: impl IntoIterator<Item = (K, V)>,
    ) -> Settings {
        let mut known: Vec<(usize, &'static str, String)> = Vec::new();
        for (name, value) in options {
            let found = PREFIXES.iter().enumerate().find_map(|(rank, prefix)| {
                let name = name.as_ref().strip_prefix(prefix)?;
                Some((rank, option(name)?))
            });
            known.extend(found.map(|(rank, option)| (rank, option, value.into())));
        }
        known.sort_by_key(|(rank, ..)| *rank);
        let options = known.into_iter().map(|(_, option, value)| (option, value));
        Settings {
            options: options.collect(),
        }
    }

    pub(super) fn apply(&self, mut builder: AmazonS3Builder) -> AmazonS3Builder {
        for (option, value) in &self.options {
            let key = match *option {
                ACCESS_KEY => AmazonS3ConfigKey::AccessKeyId,
                SECRET_KEY => AmazonS3ConfigKey::SecretAccessKey,
                SESSION_TOKEN => AmazonS3ConfigKey::Token,
                ENDPOINT => AmazonS3ConfigKey::Endpoint,
                REGION => AmazonS3ConfigKey::Region,
                _ => {
                    let is_in_path = value.eq_ignore_ascii_case("true");
                    builder = builder.with_virtual_hosted_style_request(!is_in_path);
                    continue;
                }
            };
            builder = builder.with_config(key, value);
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

const ACCESS_KEY: &str = "access-key";
const SECRET_KEY: &str = "secret-key";
const SESSION_TOKEN: &str = "session-token";
const ENDPOINT: &str = "endpoint";
const REGION: &str = "region";
const PATH_STYLE: &str = "path-style-access";

/// The credentials that a client was given: its messages must not show them.
pub(super) fn secrets(builder: &AmazonS3Builder) -> Vec<String> {
    let keys = [
        AmazonS3ConfigKey::AccessKeyId,
        AmazonS3ConfigKey::SecretAccessKey,
        AmazonS3ConfigKey::Token,
    ];
    let values = keys.iter().filter_map(|key| builder.get_config_value(key));
    values.filter(|value| !value.is_empty()).collect()
}

/// The one spelling of an option that reading needs.
fn option(name: &str) -> Option<&'static str> {
    Some(match name.replace('.', "-").as_str() {
        ACCESS_KEY => ACCESS_KEY,
        SECRET_KEY => SECRET_KEY,
        SESSION_TOKEN => SESSION_TOKEN,
        ENDPOINT => ENDPOINT,
        "endpoint-region" | REGION => REGION,
        PATH_STYLE => PATH_STYLE,
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

    fn value(settings: &Settings, key: AmazonS3ConfigKey) -> Option<String> {
        settings
            .apply(AmazonS3Builder::new())
            .get_config_value(&key)
    }

    #[test]
    fn secrets_are_not_printed_and_other_options_are_left() {
        let settings = Settings::new([
            ("s3.secret-key", "hush"),
            ("s3.entropy.key", "x"),
            ("s3.endpoint", "http://localhost:9000"),
            ("state.endpoint", "http://elsewhere"),
        ]);
        assert_eq!(format!("{settings:?}"), "{\"endpoint\", \"secret-key\"}");
        let secret = value(&settings, AmazonS3ConfigKey::SecretAccessKey);
        assert_eq!(secret.as_deref(), Some("hush"));
        let endpoint = value(&settings, AmazonS3ConfigKey::Endpoint);
        assert_eq!(endpoint.as_deref(), Some("http://localhost:9000"));
    }

    /// As Flink's documentation, its Hadoop and its Presto file system spell them.
    #[test]
    fn one_option_has_many_spellings() {
        for (name, key) in [
            ("s3.access-key", AmazonS3ConfigKey::AccessKeyId),
            ("s3.access.key", AmazonS3ConfigKey::AccessKeyId),
            ("fs.s3a.access.key", AmazonS3ConfigKey::AccessKeyId),
            ("presto.s3.secret-key", AmazonS3ConfigKey::SecretAccessKey),
            ("s3a.session.token", AmazonS3ConfigKey::Token),
            ("fs.s3a.endpoint.region", AmazonS3ConfigKey::Region),
            ("s3.region", AmazonS3ConfigKey::Region),
        ] {
            let settings = Settings::new([(name, "x")]);
            assert_eq!(value(&settings, key).as_deref(), Some("x"), "{name}");
        }
        let key = AmazonS3ConfigKey::VirtualHostedStyleRequest;
        for name in ["s3.path.style.access", "s3.path-style-access"] {
            let settings = Settings::new([(name, "true")]);
            assert_eq!(value(&settings, key).as_deref(), Some("false"), "{name}");
        }
    }

    #[test]
    fn what_is_said_of_s3_comes_before_what_is_said_of_a_file_system() {
        let named = [("s3.region", "near"), ("fs.s3a.endpoint.region", "far")];
        for settings in [Settings::new(named), Settings::new(named.into_iter().rev())] {
            let region = value(&settings, AmazonS3ConfigKey::Region);
            assert_eq!(region.as_deref(), Some("near"));
        }
    }
}
