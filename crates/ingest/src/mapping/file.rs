//! The rows of a file as events: what `polku import` and watched folders have in common.

use std::{io::Read, path::Path};

use serde_json::{Value, json};

use super::{
    plan::{self, Plan},
    rows::{Row, RowError, Rows},
};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Form {
    /// By the end of the file's name; none for what is known to be neither.
    pub fn of(path: &Path) -> Option<Form> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => Some(Form::Csv),
            "ndjson" | "jsonl" => Some(Form::Ndjson),
            _ => None,
        }
    }
}

/// A file of which no row can be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Header(#[from] RowError),
    #[error(transparent)]
    Columns(#[from] plan::Error),
}

/// The events of a file, row by row.
pub struct Events<'a, R: Read> {
    rows: Rows<R>,
    plan: &'a Plan,
    row: u64,
}

/// What one row gives.
#[derive(Debug, PartialEq)]
pub struct Given {
    /// From 1, the header not counted.
    pub row: u64,
    pub events: Vec<Result<Value, Unmade>>,
}

/// What no event can be made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmade {
    /// What is sent in the event's place: the door refuses it, and keeps it with the reason.
    pub said: Value,
    /// The field of our form that could not be filled; empty for a whole row.
    pub field: String,
    pub fault: String,
}

impl<'a, R: Read> Events<'a, R> {
    /// # Errors
    /// When the header cannot be read, or lacks a column that the mapping names.
    pub fn new(reader: R, form: Form, plan: &'a Plan) -> Result<Events<'a, R>, Unreadable> {
        let rows = match form {
            Form::Csv => Rows::csv(reader, plan.delimiter)?,
            Form::Ndjson => Rows::ndjson(reader),
        };
        if let Some(columns) = rows.columns() {
            plan.check_columns(columns)?;
        }
        Ok(Events { rows, plan, row: 0 })
    }
}

impl<R: Read> Iterator for Events<'_, R> {
    /// After an error nothing more can be read.
    type Item = Result<Given, RowError>;

    fn next(&mut self) -> Option<Result<Given, RowError>> {
        let events = match self.rows.next()? {
            Err(error) if error.is_final() => return Some(Err(error)),
            Err(error) => vec![Err(unmade(None, String::new(), error.to_string()))],
            Ok(row) => self
                .plan
                .events(&row)
                .into_iter()
                .map(|made| {
                    made.map_err(|fault| unmade(Some(&row), fault.field.clone(), fault.to_string()))
                })
                .collect(),
        };
        self.row += 1;
        Some(Ok(Given {
            row: self.row,
            events,
        }))
    }
}

fn unmade(row: Option<&Row>, field: String, fault: String) -> Unmade {
    Unmade {
        said: json!({ "row": row.map(Row::cells), "fault": fault }),
        field,
        fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let mapping = toml::from_str(
            "[events.seen]\nid = '{id}'\nkind = 'service'\ntime = '{at}'\nplace = 'store:{place|slug}'\n",
        )
        .expect("a mapping");
        Plan::new(&mapping).expect("a plan")
    }

    #[test]
    fn the_end_of_the_name_tells_the_form() {
        for (name, form) in [
            ("a.csv", Some(Form::Csv)),
            ("A.CSV", Some(Form::Csv)),
            ("a.b.tsv", Some(Form::Csv)),
            ("a.jsonl", Some(Form::Ndjson)),
            ("a.ndjson", Some(Form::Ndjson)),
            ("a.xlsx", None),
            ("a", None),
        ] {
            assert_eq!(Form::of(Path::new(name)), form, "{name}");
        }
    }

    #[test]
    fn good_rows_give_events_and_bad_ones_say_why_in_their_place() {
        let text =
            "id,at,place\n1,2026-11-20T09:31:00Z,Kamppi\n2\n3,,Kamppi\n4,2026-11-20T09:32:00Z,\n";
        let plan = plan();
        let given: Vec<Given> = Events::new(text.as_bytes(), Form::Csv, &plan)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let rows: Vec<u64> = given.iter().map(|one| one.row).collect();
        assert_eq!(rows, [1, 2, 3, 4]);
        assert_eq!(
            given[0].events,
            [Ok(json!({
                "id": "1", "kind": "service", "time": "2026-11-20T09:31:00Z", "place": "store:kamppi"
            }))]
        );
        let unmade = |place: usize| given[place].events[0].clone().unwrap_err();
        assert_eq!(unmade(1).field, "");
        assert!(
            unmade(1).fault.starts_with("row 2: 1 cells"),
            "{:?}",
            unmade(1)
        );
        assert_eq!(unmade(1).said["row"], Value::Null);
        assert_eq!(unmade(2).field, "time");
        assert_eq!(unmade(2).said["row"]["id"], "3");
        assert!(given[3].events[0].is_ok());
    }

    #[test]
    fn a_file_of_another_kind_is_noticed_before_its_first_row() {
        let plan = plan();
        for (text, said) in [("id,at\n1,2\n", "place"), ("id,id\n", "repeats a name")] {
            let error = Events::new(text.as_bytes(), Form::Csv, &plan)
                .err()
                .expect("it does not fit");
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
