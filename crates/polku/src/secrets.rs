//! What the configuration names that lies in files of its own.

use std::path::Path;

use ingest::{Secrets, Sources};
use service::secret;

use crate::config::Config;

/// Reads what the senders of all sources sign with.
///
/// # Errors
/// Every file that is missing, empty, or open to everybody, with its remedy.
pub fn read(sources: &Sources) -> Result<Secrets, Vec<String>> {
    let mut secrets = Secrets::new();
    let mut faults = Vec::new();
    for (id, source) in sources {
        for path in &source.secret_file {
            match secret::read(path) {
                Ok(secret) => {
                    let secret = secret.trim_ascii().to_vec();
                    secrets.entry(id.clone()).or_default().push(secret);
                }
                Err(error) => {
                    faults.push(fault(&format!("sources.{id}.secret_file"), path, &error))
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(secrets)
    } else {
        Err(faults)
    }
}

/// What is wrong with the files that hold secrets, whichever role reads them. A pepper that is not there may be made yet.
pub fn faults(config: &Config) -> Vec<String> {
    let named = named(config);
    let read = named.iter().filter_map(|(field, path)| {
        let error = secret::read(path).err()?;
        Some(fault(field, path, &error))
    });
    read.collect()
}

fn named(config: &Config) -> Vec<(String, &Path)> {
    let mut named: Vec<(String, &Path)> = Vec::new();
    for (id, source) in &config.sources {
        let field = format!("sources.{id}.secret_file");
        named.extend(
            source
                .secret_file
                .iter()
                .map(|path| (field.clone(), path.as_path())),
        );
    }
    for (name, subscription) in &config.subscriptions {
        let field = format!("subscriptions.{name}.secret_file");
        named.extend(
            subscription
                .secret_file
                .iter()
                .map(|path| (field.clone(), path.as_path())),
        );
    }
    let kafka = config.kafka.as_ref();
    let registry = config.schema_registry.as_ref();
    let pepper = config.privacy.pepper_file.as_ref();
    let one = [
        (
            "canary.key_file",
            config.canary.as_ref().map(|canary| &canary.key_file),
        ),
        (
            "kafka.key_file",
            kafka.and_then(|kafka| kafka.key_file.as_ref()),
        ),
        (
            "kafka.key_password_file",
            kafka.and_then(|kafka| kafka.key_password_file.as_ref()),
        ),
        (
            "kafka.sasl.password_file",
            kafka.and_then(|kafka| Some(&kafka.sasl.as_ref()?.password_file)),
        ),
        (
            "schema_registry.password_file",
            registry.and_then(|registry| registry.password_file.as_ref()),
        ),
        ("privacy.pepper_file", pepper.filter(|path| path.exists())),
    ];
    named.extend(
        one.into_iter()
            .filter_map(|(field, path)| Some((field.to_owned(), path?.as_path()))),
    );
    named
}

fn fault(field: &str, path: &Path, error: &secret::Error) -> String {
    format!("`{field}`: {} {error}", path.display())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn sources(path: &Path) -> Sources {
        toml::from_str(&format!(
            "[survey]\nchannel = 'web'\nsecret_file = '{0}'\n[other]\nchannel = 'web'\nsecret_file = ['{0}', '{0}']\n",
            path.display()
        ))
        .unwrap()
    }

    fn file(name: &str, text: &str, mode: u32) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("polku-secret-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_secret_is_the_files_text_without_its_line_end() {
        let path = file("good", "s3cret \n", 0o640);
        let secrets = read(&sources(&path)).unwrap();
        fs::remove_file(path).unwrap();
        let found: Vec<_> = secrets.values().cloned().collect();
        assert_eq!(
            found,
            [vec![b"s3cret".to_vec(); 2], vec![b"s3cret".to_vec()]]
        );
    }

    #[test]
    fn a_file_that_is_missing_open_or_empty_is_told_with_its_remedy() {
        for (name, text, mode, said) in [
            ("open", "s3cret", 0o644, "chmod 600"),
            ("empty", "\n", 0o600, "is empty"),
        ] {
            let path = file(name, text, mode);
            let faults = read(&sources(&path)).unwrap_err();
            fs::remove_file(path).unwrap();
            assert_eq!(faults.len(), 3);
            for fault in faults {
                assert!(fault.contains(said) && !fault.contains("s3cret"), "{fault}");
            }
        }
        let faults = read(&sources(Path::new("/nowhere/at-all"))).unwrap_err();
        assert!(faults[0].contains("cannot be read"), "{faults:?}");
    }

    #[test]
    fn every_file_that_the_configuration_names_is_looked_at() {
        const FIELDS: [&str; 7] = [
            "sources.survey.secret_file",
            "subscriptions.crm.secret_file",
            "canary.key_file",
            "kafka.key_file",
            "kafka.key_password_file",
            "kafka.sasl.password_file",
            "schema_registry.password_file",
        ];
        let config = |secret: &Path| {
            let secret = secret.display();
            let text = format!(
                "[privacy]\npepper_file = '{secret}'\n[canary]\nkey_file = '{secret}'\n\
                 [sources.survey]\nchannel = 'web'\nformat = 'typeform'\nsecret_file = '{secret}'\n\
                 [subscriptions.crm]\ndepartment = 'delivery'\nurl = 'https://example.fi'\nsecret_file = '{secret}'\n\
                 [kafka]\nbootstrap = 'kafka:9093'\nsecurity = 'sasl_ssl'\ncertificate_file = 'c'\n\
                 key_file = '{secret}'\nkey_password_file = '{secret}'\n\
                 [kafka.sasl]\nmechanism = 'PLAIN'\nusername = 'polku'\npassword_file = '{secret}'\n\
                 [schema_registry]\nurl = 'https://registry'\nusername = 'polku'\npassword_file = '{secret}'\n"
            );
            let path = file("config", &text, 0o644);
            let config = Config::read(Some(&path)).unwrap();
            fs::remove_file(path).unwrap();
            config
        };
        let open = file("named", "s3cret", 0o644);
        let mut faults = faults(&config(&open));
        let pepper = faults.pop().unwrap();
        assert!(pepper.starts_with("`privacy.pepper_file`: "), "{pepper}");
        assert_eq!(faults.len(), FIELDS.len(), "{faults:#?}");
        for (fault, field) in faults.iter().zip(FIELDS) {
            assert!(fault.starts_with(&format!("`{field}`: ")), "{fault}");
            assert!(fault.contains("chmod 600"), "{fault}");
        }
        fs::set_permissions(&open, fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(super::faults(&config(&open)), Vec::<String>::new());
        fs::remove_file(&open).unwrap();
        let missing = super::faults(&config(&open));
        assert_eq!(
            missing.len(),
            FIELDS.len(),
            "a pepper is made: {missing:#?}"
        );
    }
}
