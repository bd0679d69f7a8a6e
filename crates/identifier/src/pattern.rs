//! Regular expressions over normalised values, for those that name nobody.

use regex::{Regex, RegexBuilder};

/// What a pattern may take once it is compiled. Those that people write take a hundredth of it.
const BYTES_MAX: usize = 256 * 1024;

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// With where in the pattern, counted in characters from 1, if that is known.
    #[error("{text}{}", .column.map_or_else(String::new, |column| format!(" at its character {column}")))]
    Syntax { text: String, column: Option<usize> },
    #[error("repeats too much")]
    TooBig,
}

/// A pattern as it is matched: in time that grows with the value alone, whatever the pattern.
///
/// # Errors
/// When it is no regular expression, or takes too much memory.
pub fn pattern(text: &str) -> Result<Regex, PatternError> {
    let compiled = RegexBuilder::new(text).size_limit(BYTES_MAX).build();
    compiled.map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            PatternError::TooBig
        } else {
            syntax(&error.to_string())
        }
    })
}

/// The crate tells a fault as a picture: the pattern, a line of carets under the place, and what is wrong.
fn syntax(picture: &str) -> PatternError {
    const MARGIN: usize = 4;
    let mut lines = picture.lines().rev();
    let text = lines.next().unwrap_or_default();
    let caret = lines.next().and_then(|line| line.find('^'));
    PatternError::Syntax {
        text: text.trim_start_matches("error: ").to_owned(),
        column: caret.and_then(|at| at.checked_sub(MARGIN)).map(|at| at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_with_its_place() {
        for (text, expected) in [
            ("^(0", "unclosed group at its character 2"),
            ("a[", "unclosed character class at its character 2"),
            (
                "*",
                "repetition operator missing expression at its character 1",
            ),
            ("(?:a{1000}){1000}", "repeats too much"),
        ] {
            assert_eq!(pattern(text).unwrap_err().to_string(), expected, "{text}");
        }
        assert!(pattern("^[0-]*$").unwrap().is_match(""));
    }

    #[test]
    fn no_pattern_takes_long() {
        let slow_elsewhere = pattern("^(a+)+$").unwrap();
        let value = format!("{}!", "a".repeat(255));
        assert!(!slow_elsewhere.is_match(&value));
    }
}
