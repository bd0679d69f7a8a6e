//! `polku import`: a file's rows through the door of a source, by the source's own mapping.
//!
//! ```text
//! file ──► rows ──► mapping ──► events ──► the door, in batches ──► tally, checkpoint
//! ```
//!
//! It goes on where it was interrupted; what was sent twice all the same is a duplicate to Polku, since ids come from the rows.

mod checkpoint;
mod progress;
mod tally;

use std::{fs::File, io::BufReader, path::PathBuf};

use anyhow::{Context as _, bail};
use event::SourceId;
use ingest::mapping::{Events, Form, Plan, Unmade};
use serde_json::{Value, json};
use service::shutdown::Shutdown;

use self::{checkpoint::Checkpoint, progress::Progress, tally::Tally};
use crate::{
    config::Config,
    demo::Home,
    simulate::{Api, Keys},
};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A CSV file with a header, or NDJSON (`.ndjson`, `.jsonl`).
    file: PathBuf,
    /// The source whose mapping reads the rows.
    #[arg(long)]
    source: SourceId,
    /// It happened before Polku: builds timelines and cases, notifies nobody. The source must allow it.
    #[arg(long)]
    history: bool,
    /// Where Polku answers; by default the configuration's `listen`.
    #[arg(long)]
    url: Option<String>,
    /// A file that holds the source's key; by default the key that `polku dev` made.
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Begin at the first row, whatever an earlier run has sent.
    #[arg(long)]
    from_start: bool,
}

/// Events in one request.
const BATCH_EVENTS: usize = 500;

/// Sends the file; `true` when it was sent to its end.
///
/// # Errors
/// When the file, the mapping or the key cannot be read, or the door cannot be reached.
pub async fn run(options: Options, config: Config, shutdown: Shutdown) -> anyhow::Result<bool> {
    let source = config
        .sources
        .get(&options.source)
        .with_context(|| format!("there is no source {} in the configuration", options.source))?;
    let mapping = source
        .mapping
        .as_ref()
        .with_context(|| format!("`sources.{}` has no mapping", options.source))?;
    let plan =
        Plan::new(mapping).with_context(|| format!("in `sources.{}.mapping`", options.source))?;
    let url = options
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.listen));
    let api = Api::new(&url, key(&options, &config)?)?;

    let file =
        File::open(&options.file).with_context(|| format!("opening {}", options.file.display()))?;
    let length = file
        .metadata()
        .with_context(|| format!("asking for the length of {}", options.file.display()))?
        .len();
    let mut checkpoint = Checkpoint::open(&config.data, &options, length)?;
    let progress = Progress::new(length);
    let form = Form::of(&options.file).unwrap_or(Form::Csv);
    let reader = BufReader::new(progress.count(file));
    let events = Events::new(reader, form, &plan)
        .with_context(|| format!("reading {}", options.file.display()))?;

    let mut import = Import {
        api,
        source: options.source.to_string(),
        history: options.history,
        batch: Vec::new(),
        tally: checkpoint.tally.clone(),
    };
    let done = checkpoint.rows;
    let mut number = 0;
    let mut ended = true;
    for given in events {
        let given = given.with_context(|| format!("after row {number}"))?;
        number = given.row;
        if number <= done {
            continue;
        }
        for event in given.events {
            import.add(event);
        }
        import.tally.rows = number;
        if import.batch.len() >= BATCH_EVENTS {
            import.send().await?;
            checkpoint.save(number, &import.tally)?;
            progress.show(&import.tally);
            if shutdown.is_stopping() {
                ended = false;
                break;
            }
        }
    }
    import.send().await?;
    progress.finish(&import.tally);
    if ended {
        checkpoint.remove()?;
    } else {
        checkpoint.save(number, &import.tally)?;
        println!("interrupted after row {number}; the same command goes on from there");
    }
    print!("{}", import.tally);
    Ok(ended)
}

fn key(options: &Options, config: &Config) -> anyhow::Result<Keys> {
    let source = options.source.to_string();
    if let Some(path) = &options.key_file {
        let key = std::fs::read_to_string(path)
            .with_context(|| format!("reading the key in {}", path.display()))?;
        return Ok(Keys::of_source(source, key.trim().to_owned()));
    }
    let demo = Home::new(&config.data).keys();
    let keys = if demo.exists() {
        Keys::read(&demo)?
    } else {
        Keys::default()
    };
    if !keys.sources.contains_key(&source) {
        bail!("no key for the source {source}: give a file that holds it with --key-file");
    }
    Ok(keys)
}

struct Import {
    api: Api,
    source: String,
    history: bool,
    batch: Vec<Value>,
    tally: Tally,
}

impl Import {
    /// What no event can be made of is sent as it is: the door refuses it and keeps it with the reason.
    fn add(&mut self, event: Result<Value, Unmade>) {
        let said = match event {
            Ok(mut event) => {
                if let (true, Value::Object(event)) = (self.history, &mut event) {
                    event.insert("history".to_owned(), json!(true));
                }
                event
            }
            Err(unmade) => {
                self.tally.reason(&unmade.fault);
                unmade.said
            }
        };
        self.batch.push(said);
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let answer = self.api.send(&self.source, &self.batch).await?;
        self.tally.add(&answer, &self.batch)?;
        self.batch.clear();
        Ok(())
    }
}
