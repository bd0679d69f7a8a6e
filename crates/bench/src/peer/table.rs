//! What is said of the peer on the page.

use std::fmt::Write as _;

use super::{Rounds, Sizes, trial::Outcome};
use crate::{
    report::grouped,
    sample::{Sample, median},
};

pub(crate) fn render(rounds: &Rounds, sizes: &Sizes<'_>, before: &str, after: &str) -> String {
    let mut page = String::new();
    let text = &mut page;
    line(
        text,
        &format!(
            "Kafka to Kafka, one broker on the same machine; load average before: {before}; after: {after}. {} events of {} customers, \
             {} partitions, {} rounds in turn; medians, and the lowest and highest round. All programs put the same events on the same timelines and told cases the same.\n",
            grouped(sizes.events as f64),
            grouped(sizes.customers as f64),
            sizes.partitions,
            sizes.rounds,
        ),
    );
    programs(text, rounds);
    waits(text, rounds, sizes);
    ratios(text, rounds, sizes);
    page
}

fn programs(text: &mut String, rounds: &Rounds) {
    line(
        text,
        "| working off what lies ready | a second | us of CPU an event | events a CPU-second | most memory, MiB |",
    );
    line(text, "|---|--:|--:|--:|--:|");
    for (name, outcomes) in [
        ("Polku, exactly once", &rounds.polku),
        (
            "Polku's loops without transactions",
            &rounds.transactionless,
        ),
        ("Kafka Streams 4.3.1, exactly once", &rounds.peer),
        (
            "Polku, customers with a phone each, one event a customer",
            &rounds.alone,
        ),
        (
            "Polku, the same with one phone for all",
            &rounds.beside_shared,
        ),
    ] {
        let of = |value: fn(&Sample) -> f64| {
            let values = outcomes.iter().map(|outcome| value(&outcome.caught_up));
            median(values)
        };
        let (Some(speed), Some(cpu)) = (of(Sample::per_second), of(Sample::cpu_us)) else {
            continue;
        };
        let peak = median(outcomes.iter().map(|outcome| outcome.peak_bytes as f64));
        line(
            text,
            &format!(
                "| {name} | {} | {cpu:.1} | {} | {:.0} |",
                grouped(speed),
                grouped(1e6 / cpu),
                peak.unwrap_or(f64::NAN) / f64::from(1 << 20),
            ),
        );
    }
    line(text, "");
}

fn waits(text: &mut String, rounds: &Rounds, sizes: &Sizes<'_>) {
    line(
        text,
        "| from the topic `event` to the timeline, at a rate | p50 ms | p99 ms | us of CPU an event |",
    );
    line(text, "|---|--:|--:|--:|");
    let mut row = |name: &str, place: usize, outcomes: &[Outcome]| {
        let rate = grouped(sizes.rates[place] as f64);
        let of = |value: &dyn Fn(&Sample) -> Option<f64>| {
            let paced = outcomes
                .iter()
                .filter_map(|outcome| outcome.paced.get(place));
            median(paced.filter_map(value))
        };
        if let (Some(p50), Some(p99), Some(cpu)) = (
            of(&|sample| sample.wait_ms(0.5)),
            of(&|sample| sample.wait_ms(0.99)),
            of(&|sample| Some(sample.cpu_us())),
        ) {
            line(
                text,
                &format!("| {name}, {rate} events a second | {p50:.0} | {p99:.0} | {cpu:.1} |"),
            );
        }
    };
    for place in 0..sizes.rates.len() {
        row("Polku", place, &rounds.polku);
        row("Kafka Streams", place, &rounds.peer);
    }
    row(
        "Polku, beside a crowd of customers with a phone each",
        0,
        &rounds.alone,
    );
    row(
        "Polku, beside the same crowd with one phone for all",
        0,
        &rounds.beside_shared,
    );
    line(text, "");
}

fn ratios(text: &mut String, rounds: &Rounds, sizes: &Sizes<'_>) {
    line(text, "| ratio | median | lowest to highest |");
    line(text, "|---|--:|--:|");
    let mut row =
        |what: &str, one: &[Outcome], other: &[Outcome], of: &dyn Fn(&Outcome) -> Option<f64>| {
            let ratios: Vec<f64> = one
                .iter()
                .zip(other)
                .filter_map(|(one, other)| Some(of(one)? / of(other)?))
                .collect();
            let Some(middle) = median(ratios.iter().copied()) else {
                return;
            };
            let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let high = ratios.iter().copied().fold(0.0, f64::max);
            line(
                text,
                &format!("| {what} | {middle:.2} | {low:.2} to {high:.2} |"),
            );
        };
    let per_cpu = |outcome: &Outcome| Some(1.0 / outcome.caught_up.cpu_us());
    let speed = |outcome: &Outcome| Some(outcome.caught_up.per_second());
    let Rounds {
        polku,
        transactionless,
        peer,
        alone,
        beside_shared,
    } = rounds;
    row(
        "events a CPU-second, Polku to Kafka Streams",
        polku,
        peer,
        &per_cpu,
    );
    row(
        "events a second, Polku to Kafka Streams",
        polku,
        peer,
        &speed,
    );
    row(
        "most memory, Polku to Kafka Streams",
        polku,
        peer,
        &|outcome| Some(outcome.peak_bytes as f64),
    );
    for (place, rate) in sizes.rates.iter().enumerate() {
        let what = format!(
            "p99 at {} events a second, Polku to Kafka Streams",
            grouped(*rate as f64)
        );
        row(&what, polku, peer, &|outcome| {
            outcome.paced.get(place)?.wait_ms(0.99)
        });
    }
    row(
        "events a second, exactly once to without transactions",
        polku,
        transactionless,
        &speed,
    );
    row(
        "events a CPU-second, exactly once to without transactions",
        polku,
        transactionless,
        &per_cpu,
    );
    row(
        "p99 of the others, beside a phone that all of a crowd share to one each",
        beside_shared,
        alone,
        &|outcome| outcome.paced.first()?.wait_ms(0.99),
    );
    line(text, "");
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a text takes whatever is written to it");
}
