//! Secrets in files of their own, which not everybody on the machine may read.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

/// What is wrong with the file, and the remedy; reads after the file's name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot be read ({0}); write the secret into it")]
    Read(io::Error),
    #[error(
        "is open to everybody on this machine (mode {mode:03o}); close it with `chmod 600 {path}`"
    )]
    Open { mode: u32, path: String },
    #[error("is empty; write the secret into it")]
    Empty,
    #[error("is no text")]
    NoText,
}

/// What everybody on the machine may do with a file, of its mode. A group may read it: that is how Kubernetes gives a secret to a
/// process that is not root.
const OTHERS: u32 = 0o007;

/// The bytes of the file without the ends of its last line.
///
/// # Errors
/// When it is missing, empty, or open to everybody.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut file = File::open(path).map_err(Error::Read)?;
    let mode = file.metadata().map_err(Error::Read)?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(Error::Open {
            mode: mode & 0o777,
            path: path.display().to_string(),
        });
    }
    let mut secret = Vec::new();
    file.read_to_end(&mut secret).map_err(Error::Read)?;
    while secret.ends_with(b"\n") || secret.ends_with(b"\r") {
        secret.pop();
    }
    if secret.trim_ascii().is_empty() {
        return Err(Error::Empty);
    }
    Ok(secret)
}

/// The same as a text.
///
/// # Errors
/// As `read`, and when it is no text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?).map_err(|_| Error::NoText)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(name: &str, bytes: &[u8], mode: u32) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("polku-secret-{}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_secret_is_the_files_text_without_its_line_end() {
        for mode in [0o600, 0o640, 0o440, 0o400] {
            let path = file("good", b" correct horse \r\n\n", mode);
            let secret = read_text(&path).unwrap();
            fs::remove_file(path).unwrap();
            assert_eq!(secret, " correct horse ", "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_missing_open_or_empty_is_told_with_its_remedy() {
        for (name, bytes, mode, said) in [
            (
                "open",
                &b"s3cret"[..],
                0o644,
                "(mode 644); close it with `chmod 600 ",
            ),
            ("written", b"s3cret", 0o602, "is open to everybody"),
            ("run", b"s3cret", 0o601, "is open to everybody"),
            ("empty", b" \n", 0o600, "is empty"),
            ("bytes", b"\xff", 0o600, "is no text"),
        ] {
            let path = file(name, bytes, mode);
            let error = read_text(&path).unwrap_err().to_string();
            fs::remove_file(path).unwrap();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let error = read(Path::new("/nowhere/secret")).unwrap_err().to_string();
        assert!(error.starts_with("cannot be read (No such file"), "{error}");
    }
}
