//! Rows of CSV and NDJSON files, one at a time, within bounds.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read},
    rc::Rc,
};

use serde_json::Value;

use crate::json;

/// No more columns than this in a row.
pub const COLUMNS_MAX: usize = 10_000;
/// No more bytes than this in a cell.
pub const CELL_BYTES_MAX: usize = 1024 * 1024;
/// No more bytes than this in a whole row: a quote that is never closed must not read the file into memory.
const ROW_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One row: its number in the file and its cells by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From 1, the header not counted.
    pub number: u64,
    /// How many bytes of the file were read up to the end of this row, for a progress bar: a line feed may still follow.
    pub bytes_read: u64,
    cells: BTreeMap<String, String>,
}

impl Row {
    /// A JSON object as the only row of its file: its columns are the paths in it.
    pub fn of_object(object: &Value) -> Row {
        let mut cells = BTreeMap::new();
        flatten("", object, &mut cells);
        Row {
            number: 1,
            bytes_read: 0,
            cells,
        }
    }

    #[cfg(test)]
    pub(super) fn of<const N: usize>(number: u64, cells: [(&str, &str); N]) -> Row {
        Row {
            number,
            bytes_read: 0,
            cells: cells
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .into(),
        }
    }

    /// The cells by column, as the file has them.
    pub fn cells(&self) -> &BTreeMap<String, String> {
        &self.cells
    }

    /// The text of a column without the spaces around it; empty where the row has none.
    pub fn get(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim())
    }
}

/// A row that cannot be read. Those with a row number do not end the file.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("row {row}: {problem}")]
    Row { row: u64, problem: String },
    #[error("the header: {problem}")]
    Header { problem: String },
    #[error("reading after row {row}")]
    Read {
        row: u64,
        #[source]
        source: io::Error,
    },
}

impl RowError {
    /// Nothing can be read after it.
    pub fn is_final(&self) -> bool {
        match self {
            RowError::Row { .. } => false,
            RowError::Header { .. } | RowError::Read { .. } => true,
        }
    }
}

/// The rows of a file.
pub struct Rows<R: Read> {
    form: Form<R>,
    number: u64,
    ended: bool,
}

enum Form<R: Read> {
    Csv {
        reader: Box<csv::Reader<Bounded<R>>>,
        columns: Vec<String>,
        budget: Rc<Cell<u64>>,
    },
    Ndjson {
        reader: BufReader<R>,
        bytes_read: u64,
    },
}

impl<R: Read> Rows<R> {
    /// # Errors
    /// When the header cannot be read, or names a column twice.
    pub fn csv(reader: R, delimiter: Option<char>) -> Result<Rows<R>, RowError> {
        let problem = |problem: String| RowError::Header { problem };
        let delimiter = u8::try_from(delimiter.unwrap_or(','))
            .map_err(|_| problem("the delimiter must be one ASCII character".to_owned()))?;
        let budget = Rc::new(Cell::new(ROW_BYTES_MAX));
        let bounded = Bounded {
            inner: reader,
            left: Rc::clone(&budget),
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(bounded);
        let header = reader
            .byte_headers()
            .map_err(|error| problem(error.to_string()))?;
        if header.len() > COLUMNS_MAX {
            return Err(problem(format!(
                "{} columns; the most is {COLUMNS_MAX}",
                header.len()
            )));
        }
        let mut columns = Vec::with_capacity(header.len());
        for (place, cell) in header.iter().enumerate() {
            let name = std::str::from_utf8(cell)
                .map_err(|_| problem(format!("column {} is not UTF-8", place + 1)))?;
            let name = name.trim_start_matches('\u{feff}').trim().to_owned();
            if columns.contains(&name) {
                return Err(problem(format!("column {} repeats a name", place + 1)));
            }
            columns.push(name);
        }
        Ok(Rows {
            form: Form::Csv {
                reader: Box::new(reader),
                columns,
                budget,
            },
            number: 0,
            ended: false,
        })
    }

    pub fn ndjson(reader: R) -> Rows<R> {
        Rows {
            form: Form::Ndjson {
                reader: BufReader::new(reader),
                bytes_read: 0,
            },
            number: 0,
            ended: false,
        }
    }

    /// The columns of a CSV file; NDJSON rows bring their own.
    pub fn columns(&self) -> Option<&[String]> {
        match &self.form {
            Form::Csv { columns, .. } => Some(columns),
            Form::Ndjson { .. } => None,
        }
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Result<Row, RowError>> {
        if self.ended {
            return None;
        }
        let read = match &mut self.form {
            Form::Csv {
                reader,
                columns,
                budget,
            } => {
                budget.set(ROW_BYTES_MAX);
                csv_row(reader, columns, self.number + 1)
            }
            Form::Ndjson { reader, bytes_read } => ndjson_row(reader, bytes_read, self.number + 1),
        };
        match &read {
            None => self.ended = true,
            Some(Err(error)) if error.is_final() => self.ended = true,
            Some(Ok(_) | Err(_)) => self.number += 1,
        }
        read
    }
}

fn csv_row<R: Read>(
    reader: &mut csv::Reader<Bounded<R>>,
    columns: &[String],
    number: u64,
) -> Option<Result<Row, RowError>> {
    let mut record = csv::ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(false) => return None,
        Ok(true) => {}
        Err(error) => {
            return Some(Err(csv_error(error, number)));
        }
    }
    let bytes_read = reader.position().byte();
    let mut cells = BTreeMap::new();
    for (column, cell) in columns.iter().zip(&record) {
        let fault = |problem: String| RowError::Row {
            row: number,
            problem: format!("column `{column}` {problem}"),
        };
        if cell.len() > CELL_BYTES_MAX {
            return Some(Err(fault(format!(
                "has {} bytes; the most is {CELL_BYTES_MAX}",
                cell.len()
            ))));
        }
        match std::str::from_utf8(cell) {
            Ok(text) => cells.insert(column.clone(), text.to_owned()),
            Err(_) => {
                return Some(Err(fault(
                    "is not UTF-8; save the file as UTF-8".to_owned(),
                )));
            }
        };
    }
    Some(Ok(Row {
        number,
        bytes_read,
        cells,
    }))
}

fn csv_error(error: csv::Error, row: u64) -> RowError {
    if let csv::ErrorKind::UnequalLengths {
        expected_len, len, ..
    } = error.kind()
    {
        return RowError::Row {
            row,
            problem: format!(
                "{len} cells where the header has {expected_len}; quote cells that hold the delimiter"
            ),
        };
    }
    RowError::Read {
        row: row - 1,
        source: error.into(),
    }
}

fn ndjson_row<R: Read>(
    reader: &mut BufReader<R>,
    bytes_read: &mut u64,
    number: u64,
) -> Option<Result<Row, RowError>> {
    loop {
        let mut line = Vec::new();
        let read = reader.take(ROW_BYTES_MAX).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return None,
            Ok(read) => *bytes_read += read as u64,
            Err(source) => {
                return Some(Err(RowError::Read {
                    row: number - 1,
                    source,
                }));
            }
        }
        if line.len() as u64 >= ROW_BYTES_MAX {
            let source = io::Error::other(TOO_LONG);
            return Some(Err(RowError::Read {
                row: number - 1,
                source,
            }));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let fault = |problem: String| RowError::Row {
            row: number,
            problem,
        };
        return Some(match json::parse(&line) {
            Ok(Value::Object(object)) => {
                let mut cells = BTreeMap::new();
                flatten("", &Value::Object(object), &mut cells);
                if cells.len() > COLUMNS_MAX {
                    return Some(Err(fault(format!(
                        "{} columns; the most is {COLUMNS_MAX}",
                        cells.len()
                    ))));
                }
                let large = cells.iter().find(|(_, cell)| cell.len() > CELL_BYTES_MAX);
                match large {
                    Some((column, cell)) => Err(fault(format!(
                        "column `{column}` has {} bytes; the most is {CELL_BYTES_MAX}",
                        cell.len()
                    ))),
                    None => Ok(Row {
                        number,
                        bytes_read: *bytes_read,
                        cells,
                    }),
                }
            }
            Ok(
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_),
            ) => Err(fault("is no JSON object".to_owned())),
            Err(error) => Err(fault(error)),
        });
    }
}

/// `{"user": {"id": 7}}` has the column `user.id`; an array is the JSON it was written as.
fn flatten(path: &str, value: &Value, cells: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::String(text) => {
            cells.insert(path.to_owned(), text.clone());
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            cells.insert(path.to_owned(), value.to_string());
        }
        Value::Object(fields) => {
            for (key, inner) in fields {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                flatten(&path, inner, cells);
            }
        }
    }
}

const TOO_LONG: &str = "a row is longer than 16 MiB; is a quotation mark never closed?";

/// Ends with an error when one row would take more than its budget.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other(TOO_LONG));
        }
        let read = self.inner.read(buffer)?;
        self.left.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &[u8]) -> Vec<Result<Row, String>> {
        match Rows::csv(text, None) {
            Err(error) => vec![Err(error.to_string())],
            Ok(rows) => rows
                .map(|row| row.map_err(|error| error.to_string()))
                .collect(),
        }
    }

    #[test]
    fn csv_rows_have_their_cells_by_column() {
        let rows = csv("\u{feff}id, text\r\n1,\"a\nb\"\r\n2, ä \r\n".as_bytes());
        let read: Vec<(u64, &str, &str)> = rows
            .iter()
            .map(|row| row.as_ref().unwrap())
            .map(|row| (row.number, row.get("id"), row.get("text")))
            .collect();
        assert_eq!(read, [(1, "1", "a\nb"), (2, "2", "ä")]);
        assert_eq!(rows[1].as_ref().unwrap().bytes_read, 29);
    }

    #[test]
    fn a_bad_row_names_its_place_and_the_next_one_is_read() {
        let rows = csv(b"id,text\n1\n2,\xff\n3,ok\n");
        assert_eq!(
            rows[0],
            Err(
                "row 1: 1 cells where the header has 2; quote cells that hold the delimiter"
                    .to_owned()
            )
        );
        assert_eq!(
            rows[1],
            Err("row 2: column `text` is not UTF-8; save the file as UTF-8".to_owned())
        );
        assert_eq!(rows[2].as_ref().unwrap().get("text"), "ok");
    }

    #[test]
    fn too_many_columns_too_large_cells_and_endless_rows_are_refused() {
        let header: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
        assert_eq!(
            csv(header.join(",").as_bytes()),
            [Err(
                "the header: 10001 columns; the most is 10000".to_owned()
            )]
        );
        let large = format!("id,text\n1,{}\n2,b\n", "x".repeat(2 << 20));
        let rows = csv(large.as_bytes());
        assert_eq!(
            rows[0],
            Err("row 1: column `text` has 2097152 bytes; the most is 1048576".to_owned())
        );
        assert_eq!(rows[1].as_ref().unwrap().get("id"), "2");
        let endless = format!("id\n1\n\"{}", "x\n".repeat(17 << 19));
        let rows = csv(endless.as_bytes());
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1], Err("reading after row 1".to_owned()));
        assert_eq!(
            csv(b"a,b,a\n"),
            [Err("the header: column 3 repeats a name".to_owned())]
        );
    }

    #[test]
    fn ndjson_rows_have_nested_columns_and_bad_lines_are_named() {
        let text =
            b"{\"id\":7,\"user\":{\"mail\":\"a@b.fi\",\"x\":null},\"tags\":[\"a\"]}\n\n[]\n{oops\n";
        let rows: Vec<Result<Row, RowError>> = Rows::ndjson(&text[..]).collect();
        let first = rows[0].as_ref().unwrap();
        assert_eq!(first.get("id"), "7");
        assert_eq!(first.get("user.mail"), "a@b.fi");
        assert_eq!(first.get("user.x"), "");
        assert_eq!(first.get("tags"), "[\"a\"]");
        let faults: Vec<String> = rows[1..]
            .iter()
            .map(|row| row.as_ref().unwrap_err().to_string())
            .collect();
        assert_eq!(faults[0], "row 2: is no JSON object");
        assert!(faults[1].starts_with("row 3: "), "{}", faults[1]);
    }
}
