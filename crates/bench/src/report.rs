//! The tables.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, bail};
use event::Time;

use crate::sample::{Figure, Results, Sample, median};

/// Under which circumstances it was measured.
pub(crate) struct Frame {
    pub(crate) date: Time,
    pub(crate) shape: String,
    pub(crate) load_before: String,
    pub(crate) load_after: String,
    pub(crate) debug: bool,
    pub(crate) rounds: usize,
    pub(crate) events: usize,
    pub(crate) customers: usize,
}

/// What is compared, which of its figures, and what the ratio says.
const RATIOS: [(Figure, Figure, By, &str); 11] = [
    (
        Figure::Engine,
        Figure::Floor,
        By::Cpu,
        "processor time of the engine to that of its floor",
    ),
    (
        Figure::EngineKnown,
        Figure::FloorKnown,
        By::Cpu,
        "processor time of the engine to that of its floor, known customers",
    ),
    (
        Figure::SkewGiant,
        Figure::SkewUniform,
        By::CpuSpeed,
        "events a CPU-second with one giant customer to those of evenly spread ones",
    ),
    (
        Figure::SkewKiosk,
        Figure::SkewUniform,
        By::CpuSpeed,
        "events a CPU-second with one shared device to those of evenly spread ones",
    ),
    (
        Figure::WholeInMemory,
        Figure::Engine,
        By::Cpu,
        "processor time of the whole loop, log in memory, to that of the engine: bytes, rows, batches",
    ),
    (
        Figure::WholeOnDisk,
        Figure::WholeInMemory,
        By::Cpu,
        "processor time of the whole loop on the embedded log to that in memory: durability",
    ),
    (
        Figure::WholeOnDisk,
        Figure::WholeInMemory,
        By::Speed,
        "events a second on the embedded log to those in memory",
    ),
    (
        Figure::AppendOne,
        Figure::Fsync,
        By::Wait,
        "median wait for an acknowledgement to that for one fsync",
    ),
    (
        Figure::AppendOneByEight,
        Figure::AppendOne,
        By::Speed,
        "records a second of eight writers to those of one: group commit",
    ),
    (
        Figure::RequestOfHundred,
        Figure::RequestOfOne,
        By::Speed,
        "events a second in batches of 100 to those sent one by one, by one sender",
    ),
    (
        Figure::RequestOfHundredByEight,
        Figure::RequestOfOneBySixtyFour,
        By::Cpu,
        "processor time of an event in a batch of 100 to that of one sent alone, by many senders",
    ),
];

#[derive(Clone, Copy)]
enum By {
    Cpu,
    CpuSpeed,
    Speed,
    Wait,
}

impl By {
    fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            By::Cpu => Some(sample.cpu_us()),
            By::CpuSpeed => Some(1e6 / sample.cpu_us()),
            By::Speed => Some(sample.per_second()),
            By::Wait => sample.wait_ms(0.5),
        }
    }
}

pub(crate) fn render(results: &Results, frame: &Frame) -> String {
    let mut page = String::new();
    head(&mut page, frame);
    figures(&mut page, results);
    ratios(&mut page, results);
    parts(&mut page, results);
    page
}

/// Puts what was measured between the marks of a page.
pub(crate) fn write(page: &Path, report: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(page).with_context(|| format!("reading {}", page.display()))?;
    let Some(text) = replaced(&text, report) else {
        bail!(
            "{} has no lines `{BEGIN}` and `{END}`, one after the other: put them where the tables belong",
            page.display()
        );
    };
    fs::write(page, text).with_context(|| format!("writing {}", page.display()))
}

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

fn replaced(text: &str, report: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let report = report.trim_end();
    Some(format!("{before}{BEGIN}\n\n{report}\n\n{END}{after}"))
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn head(page: &mut String, frame: &Frame) {
    let build = if frame.debug {
        ", a debug build: the figures mean nothing"
    } else {
        ""
    };
    line(
        page,
        &format!(
            "Measured {} on {}{build}. Load average before: {}; after: {}. {} events of {} customers, one in ten a repeat; {} rounds \
             of everything in turn; medians, and the lowest and highest round.\n",
            frame.date,
            frame.shape,
            frame.load_before,
            frame.load_after,
            grouped(frame.events as f64),
            grouped(frame.customers as f64),
            frame.rounds,
        ),
    );
}

fn figures(page: &mut String, results: &Results) {
    line(
        page,
        "| measured | a second | lowest to highest | us of CPU each | a CPU-second | wait p50 ms | wait p99 ms |",
    );
    line(page, "|---|--:|--:|--:|--:|--:|--:|");
    for (figure, samples) in results.figures() {
        let of = |value: fn(&Sample) -> f64| median(samples.iter().map(value)).unwrap_or(f64::NAN);
        let wait = |share: f64| {
            let waits = samples.iter().filter_map(|sample| sample.wait_ms(share));
            median(waits).map_or_else(String::new, |ms| format!("{ms:.2}"))
        };
        let speeds = samples.iter().map(Sample::per_second);
        let (low, high) = speeds.fold((f64::INFINITY, 0.0_f64), |(low, high), speed| {
            (low.min(speed), high.max(speed))
        });
        let cpu = of(Sample::cpu_us);
        line(
            page,
            &format!(
                "| {} | {} {} | {} to {} | {cpu:.2} | {} | {} | {} |",
                figure.as_str(),
                grouped(of(Sample::per_second)),
                figure.unit(),
                grouped(low),
                grouped(high),
                grouped(1e6 / cpu),
                wait(0.5),
                wait(0.99),
            ),
        );
    }
    line(page, "");
}

/// Each ratio is taken within its round; the rounds' median is shown.
fn ratios(page: &mut String, results: &Results) {
    line(page, "| ratio | median | lowest to highest |");
    line(page, "|---|--:|--:|");
    for (one, other, by, text) in RATIOS {
        let rounds = results.of(one).iter().zip(results.of(other));
        let ratios: Vec<f64> = rounds
            .filter_map(|(one, other)| Some(by.of(one)? / by.of(other)?))
            .collect();
        let Some(middle) = median(ratios.iter().copied()) else {
            continue;
        };
        let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let high = ratios.iter().copied().fold(0.0, f64::max);
        line(
            page,
            &format!("| {text} | {middle:.2} | {low:.2} to {high:.2} |"),
        );
    }
    line(page, "");
}

fn parts(page: &mut String, results: &Results) {
    let mut notes = String::new();
    for (figure, samples) in results.figures() {
        if let Some(last) = samples.last() {
            for note in &last.notes {
                write!(notes, " {note}").expect("a text takes whatever is written to it");
            }
            if !last.parts.is_empty() {
                where_it_goes(page, figure, samples, last);
                if !notes.is_empty() {
                    line(page, &format!("{}\n", notes.trim()));
                    notes.clear();
                }
            }
        }
    }
}

fn where_it_goes(page: &mut String, figure: Figure, samples: &[Sample], last: &Sample) {
    line(
        page,
        &format!(
            "| where the CPU goes, {} | us an event | share |",
            figure.as_str()
        ),
    );
    line(page, "|---|--:|--:|");
    let whole = median(samples.iter().map(Sample::cpu_us)).unwrap_or(f64::NAN);
    let mut left = whole;
    for (place, (name, _)) in last.parts.iter().enumerate() {
        let each = samples.iter().filter_map(|sample| {
            let (_, part) = sample.parts.get(place)?;
            Some(part.as_secs_f64() * 1e6 / sample.count as f64)
        });
        let part = median(each).unwrap_or(f64::NAN);
        left -= part;
        line(
            page,
            &format!("| {name} | {part:.2} | {:.0} % |", part / whole * 100.0),
        );
    }
    let left = left.max(0.0);
    line(
        page,
        &format!(
            "| what is left | {left:.2} | {:.0} % |\n",
            left / whole * 100.0
        ),
    );
}

/// Three digits that count, with a comma before each group of three.
pub(crate) fn grouped(value: f64) -> String {
    if !value.is_finite() || value < 100.0 {
        return format!("{value:.1}");
    }
    let unit = 10_f64.powf(value.log10().floor() - 2.0);
    let digits = format!("{:.0}", (value / unit).round() * unit);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_that_count() {
        for (value, text) in [
            (0.0, "0.0"),
            (12.34, "12.3"),
            (999.6, "1,000"),
            (12_345.0, "12,300"),
            (200_000.0, "200,000"),
            (1_239_999.0, "1,240,000"),
        ] {
            assert_eq!(grouped(value), text);
        }
    }

    #[test]
    fn a_report_takes_the_place_of_the_last_one_and_of_nothing_else() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let once = replaced(&page, "new\n").unwrap();
        assert_eq!(once, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!(replaced(&once, "new\n").unwrap(), once);
        assert_eq!(replaced("no marks", "new"), None);
    }
}
