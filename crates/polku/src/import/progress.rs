use std::io::Read;

use indicatif::{ProgressBar, ProgressStyle};

use super::tally::Tally;

/// The bar a person watches: rows, rate, rejected, time left.
pub(super) struct Progress {
    bar: ProgressBar,
}

const TEMPLATE: &str = "{bar:30} {percent:>3} %  {msg}  {eta} left";

impl Progress {
    pub(super) fn new(length: u64) -> Progress {
        let bar = ProgressBar::new(length);
        bar.set_style(ProgressStyle::with_template(TEMPLATE).expect("the template is well formed"));
        Progress { bar }
    }

    /// The file, with the bar following what is read of it.
    pub(super) fn count<R: Read>(&self, file: R) -> impl Read + use<R> {
        self.bar.wrap_read(file)
    }

    pub(super) fn show(&self, tally: &Tally) {
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        // A rate for people: what is lost of the integer's precision is not seen.
        let rate = u32::try_from(tally.rows).map_or(f64::INFINITY, f64::from) / seconds;
        self.bar.set_message(format!(
            "{} rows  {rate:.0}/s  {} rejected",
            tally.rows, tally.rejected
        ));
    }

    pub(super) fn finish(&self, tally: &Tally) {
        self.show(tally);
        self.bar.finish();
    }
}
