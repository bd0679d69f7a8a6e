//! The promises of `log`, each a named function that any log can be tried with.
