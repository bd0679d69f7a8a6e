//! What senders sign with, read from the files that the configuration names.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use ingest::{Secrets, Sources};

/// Reads the secrets of all sources.
///
/// # Errors
/// Every file that is missing, empty, or readable for everybody, with its remedy.
pub fn read(sources: &Sources) -> Result<Secrets, Vec<String>> {
    let mut secrets = Secrets::new();
    let mut faults = Vec::new();
    for (id, source) in sources {
        for path in &source.secret_file {
            match secret(path) {
                Ok(secret) => secrets.entry(id.clone()).or_default().push(secret),
                Err(fault) => faults.push(format!(
                    "`sources.{id}.secret_file`: {} {fault}",
                    path.display()
                )),
            }
        }
    }
    if faults.is_empty() {
        Ok(secrets)
    } else {
        Err(faults)
    }
}

/// What everybody on the machine may do with a file, of its mode.
const OTHERS: u32 = 0o007;

/// The bytes of a file that only its owner reads, without white space around them.
///
/// # Errors
/// What is wrong with the file, and the remedy.
pub fn secret(path: &Path) -> Result<Vec<u8>, String> {
    let mode = fs::metadata(path)
        .map_err(|error| format!("cannot be read ({error}); write the sender's secret into it"))?
        .permissions()
        .mode();
    if mode & OTHERS != 0 {
        return Err(format!(
            "is open to everybody on this machine (mode {:03o}); close it with `chmod 600 {}`",
            mode & 0o777,
            path.display()
        ));
    }
    let text = fs::read(path).map_err(|error| format!("cannot be read ({error})"))?;
    let secret = text.trim_ascii();
    if secret.is_empty() {
        return Err("is empty; write the sender's secret into it".to_owned());
    }
    Ok(secret.to_vec())
}

#[cfg(test)]
mod tests {
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
}
