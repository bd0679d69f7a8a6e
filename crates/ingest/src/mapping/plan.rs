//! A mapping made ready: templates parsed, zones found; rows in, events of our own form out.

use event::Name;
use jiff::{Timestamp, fmt::strtime, tz::TimeZone};
use serde_json::{Map, Value};

use super::{Condition, EventMapping, Field, Mapping, rows::Row, template::Template};

/// A mapping that cannot work, by the path of what is wrong in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{at}` {problem}")]
pub struct Error {
    pub at: String,
    pub problem: String,
}

/// A row that an event cannot be made of. Tells the shape of a cell, never its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, event `{event}`, field `{field}`{}: {problem}", Columns(.columns))]
pub struct Fault {
    pub row: u64,
    pub event: Name,
    pub field: String,
    pub columns: Vec<String>,
    pub problem: String,
}

struct Columns<'a>(&'a [String]);

impl std::fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [] => Ok(()),
            columns => write!(f, " from `{}`", columns.join("`, `")),
        }
    }
}

/// A mapping that is ready for rows.
#[derive(Debug)]
pub struct Plan {
    events: Vec<EventPlan>,
    pub delimiter: Option<char>,
}

#[derive(Debug)]
struct EventPlan {
    name: Name,
    conditions: Vec<(String, Condition)>,
    moments: Moments,
    fields: Vec<FieldPlan>,
}

#[derive(Debug)]
struct FieldPlan {
    /// In which object it lies; `score`, `amount` and `promise` are left out whole.
    group: Option<&'static str>,
    key: String,
    template: Template,
    field: Field,
    sort: Sort,
}

#[derive(Clone, Debug)]
enum Sort {
    Text,
    Number,
    Time(Moments),
}

/// How a file writes its moments.
#[derive(Clone, Debug)]
struct Moments {
    format: Option<String>,
    zone: Option<TimeZone>,
}

impl Plan {
    /// # Errors
    /// The first thing that cannot work, by its path.
    pub fn new(mapping: &Mapping) -> Result<Plan, Error> {
        if mapping.events.is_empty() {
            return Err(Error {
                at: "events".to_owned(),
                problem: "is empty; a row must give at least one event".to_owned(),
            });
        }
        let moments = Moments::new("", mapping.time_format.as_ref(), mapping.zone.as_ref())?;
        let events = mapping
            .events
            .iter()
            .map(|(name, event)| EventPlan::new(name, event, &moments))
            .collect::<Result<_, _>>()?;
        Ok(Plan {
            events,
            delimiter: mapping.delimiter,
        })
    }

    /// Every column the mapping names, so that a file of another kind is noticed before its first row.
    ///
    /// # Errors
    /// The first column that the file does not have, with the one that was probably meant.
    pub fn check_columns(&self, present: &[String]) -> Result<(), Error> {
        for event in &self.events {
            for (column, at) in event.columns() {
                if present.iter().any(|known| known == column) {
                    continue;
                }
                let near = service::config::nearest(column, present.iter().map(String::as_str));
                let problem = match near {
                    Some(near) => format!(
                        "names the column `{column}`, which the file does not have; did you mean `{near}`?"
                    ),
                    None => format!(
                        "names the column `{column}`, which the file does not have; it has `{}`",
                        present.join("`, `")
                    ),
                };
                return Err(Error { at, problem });
            }
        }
        Ok(())
    }

    /// The events of a row: each of those whose conditions hold, or why it cannot be made.
    pub fn events(&self, row: &Row) -> Vec<Result<Value, Fault>> {
        self.events
            .iter()
            .filter_map(|event| match event.holds(row) {
                Ok(false) => None,
                Ok(true) => Some(event.make(row)),
                Err(fault) => Some(Err(fault)),
            })
            .collect()
    }
}

impl EventPlan {
    fn new(name: &Name, event: &EventMapping, moments: &Moments) -> Result<EventPlan, Error> {
        let mut builder = Builder {
            path: format!("events.{name}"),
            moments,
            fields: Vec::new(),
        };
        builder.event(event)?;
        for (column, condition) in &event.when {
            if *condition == Condition::default() {
                return Err(Error {
                    at: format!("events.{name}.when.{column}"),
                    problem: "asks nothing; write `empty`, `is`, `not` or `after`".to_owned(),
                });
            }
        }
        Ok(EventPlan {
            name: name.clone(),
            conditions: event
                .when
                .iter()
                .map(|(column, condition)| (column.clone(), condition.clone()))
                .collect(),
            moments: moments.clone(),
            fields: builder.fields,
        })
    }

    /// Each column with the path that names it.
    fn columns(&self) -> impl Iterator<Item = (&str, String)> {
        let path = format!("events.{}", self.name);
        let when = format!("{path}.when");
        let conditions = self.conditions.iter().flat_map(move |(column, condition)| {
            let others = condition.after.as_deref().into_iter();
            let when = when.clone();
            std::iter::once(column.as_str())
                .chain(others)
                .map(move |name| (name, when.clone()))
        });
        let fields = self.fields.iter().flat_map(move |field| {
            let at = format!("{path}.{}", field.path());
            field.template.columns().map(move |name| (name, at.clone()))
        });
        conditions.chain(fields)
    }

    fn holds(&self, row: &Row) -> Result<bool, Fault> {
        for (column, condition) in &self.conditions {
            let cell = row.get(column);
            let plain = condition.empty.is_none_or(|empty| cell.is_empty() == empty)
                && (condition.is.is_empty() || condition.is.iter().any(|text| text == cell))
                && !condition.not.iter().any(|text| text == cell);
            if !plain {
                return Ok(false);
            }
            if let Some(other) = &condition.after {
                let earlier = row.get(other);
                if cell.is_empty() || earlier.is_empty() {
                    return Ok(false);
                }
                let moment = |column: &String, cell| {
                    self.moments.read(cell).map_err(|problem| {
                        self.fault(row, "when", std::slice::from_ref(column), problem)
                    })
                };
                if moment(column, cell)? <= moment(other, earlier)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn make(&self, row: &Row) -> Result<Value, Fault> {
        let mut event = Map::new();
        let mut left_out = Vec::new();
        for field in &self.fields {
            let Some(value) = self.value(field, row)? else {
                left_out.extend(field.group);
                continue;
            };
            match field.group {
                None => {
                    event.insert(field.key.clone(), value);
                }
                Some(group) => {
                    let object = event
                        .entry(group)
                        .or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(object) = object {
                        object.insert(field.key.clone(), value);
                    }
                }
            }
        }
        for group in left_out {
            if WHOLE.contains(&group) {
                event.remove(group);
            }
        }
        Ok(Value::Object(event))
    }

    /// None for a field that is left out.
    fn value(&self, plan: &FieldPlan, row: &Row) -> Result<Option<Value>, Fault> {
        let columns: Vec<String> = plan.template.columns().map(str::to_owned).collect();
        let fault = |problem: String| self.fault(row, &plan.path(), &columns, problem);
        let text = match plan.template.render(row) {
            Ok(text) => text,
            Err(_) if !plan.is_required() => return Ok(None),
            Err(column) => {
                return Err(fault(format!(
                    "column `{column}` is empty; give the event a condition `when.{column}.empty = false`, or correct the row"
                )));
            }
        };
        let text = if plan.field.values.is_empty() {
            text
        } else {
            match plan
                .field
                .values
                .get(&text)
                .or(plan.field.otherwise.as_ref())
            {
                Some(text) => text.clone(),
                None => {
                    return Err(fault(format!(
                        "a text of the shape `{}` is none of `values`; add it there, or set `otherwise`",
                        shape(&text)
                    )));
                }
            }
        };
        if text.is_empty() {
            return if plan.is_required() {
                Err(fault("is empty; correct the row".to_owned()))
            } else {
                Ok(None)
            };
        }
        match &plan.sort {
            Sort::Text => Ok(Some(Value::String(text))),
            Sort::Number => number(&text).map(Some).map_err(fault),
            Sort::Time(moments) => moments
                .read(&text)
                .map(|moment| Some(Value::String(moment.to_string())))
                .map_err(fault),
        }
    }

    fn fault(&self, row: &Row, field: &str, columns: &[String], problem: String) -> Fault {
        Fault {
            row: row.number,
            event: self.name.clone(),
            field: field.to_owned(),
            columns: columns.to_vec(),
            problem,
        }
    }
}

/// Objects that say nothing once a part is missing.
const WHOLE: [&str; 3] = ["score", "amount", "promise"];

impl FieldPlan {
    fn path(&self) -> String {
        match self.group {
            Some(group) => format!("{group}.{}", self.key),
            None => self.key.clone(),
        }
    }

    fn is_required(&self) -> bool {
        self.group.is_none() && matches!(self.key.as_str(), "id" | "kind" | "time")
    }
}

struct Builder<'a> {
    path: String,
    moments: &'a Moments,
    fields: Vec<FieldPlan>,
}

impl Builder<'_> {
    fn event(&mut self, event: &EventMapping) -> Result<(), Error> {
        let texts = [
            ("id", Some(&event.id)),
            ("kind", Some(&event.kind)),
            ("type", event.name.as_ref()),
            ("name", event.person.as_ref()),
            ("text", event.text.as_ref()),
            ("language", event.language.as_ref()),
            ("place", event.place.as_ref()),
            ("product", event.product.as_ref()),
            ("stage", event.stage.as_ref()),
            ("touchpoint", event.touchpoint.as_ref()),
            ("party", event.party.as_ref()),
            ("perspective", event.perspective.as_ref()),
        ];
        for (key, field) in texts {
            self.text(None, key, field)?;
        }
        self.moment(None, "time", Some(&event.time))?;
        for (key, field) in &event.identifiers {
            self.text(Some("identifiers"), key.as_str(), Some(field))?;
        }
        for (key, field) in &event.references {
            self.text(Some("references"), key.as_str(), Some(field))?;
        }
        for (key, field) in &event.attributes {
            self.text(Some("attributes"), key, Some(field))?;
        }
        if let Some(score) = &event.score {
            self.text(Some("score"), "metric", Some(&score.metric))?;
            for (key, field) in [
                ("value", &score.value),
                ("min", &score.min),
                ("max", &score.max),
            ] {
                self.add(Some("score"), key, field, Sort::Number)?;
            }
        }
        if let Some(amount) = &event.amount {
            self.text(Some("amount"), "value", Some(&amount.value))?;
            self.text(Some("amount"), "currency", Some(&amount.currency))?;
            self.text(Some("amount"), "of", Some(&amount.of))?;
        }
        if let Some(promise) = &event.promise {
            self.text(Some("promise"), "id", Some(&promise.id))?;
            self.text(Some("promise"), "what", Some(&promise.what))?;
            self.text(Some("promise"), "text", promise.text.as_ref())?;
            self.moment(Some("promise"), "due", promise.due.as_ref())?;
            self.text(Some("promise"), "by", promise.by.as_ref())?;
            self.text(Some("promise"), "keeper", promise.keeper.as_ref())?;
            self.text(Some("promise"), "state", promise.state.as_ref())?;
        }
        Ok(())
    }

    fn text(
        &mut self,
        group: Option<&'static str>,
        key: &str,
        field: Option<&Field>,
    ) -> Result<(), Error> {
        let Some(field) = field else { return Ok(()) };
        if field.time_format.is_some() || field.zone.is_some() {
            return Err(self.error(
                group,
                key,
                "is no moment and takes no `time_format` or `zone`",
            ));
        }
        self.add(group, key, field, Sort::Text)
    }

    fn moment(
        &mut self,
        group: Option<&'static str>,
        key: &str,
        field: Option<&Field>,
    ) -> Result<(), Error> {
        let Some(field) = field else { return Ok(()) };
        let at = format!("{}.{key}.", self.path);
        let own = Moments::new(&at, field.time_format.as_ref(), field.zone.as_ref())?;
        let constant =
            Template::parse(&field.from).is_ok_and(|template| template.columns().next().is_none());
        let moments = Moments {
            // A constant stands in the configuration, where moments are written as everywhere.
            format: own
                .format
                .or_else(|| self.moments.format.clone().filter(|_| !constant)),
            zone: own.zone.or_else(|| self.moments.zone.clone()),
        };
        self.add(group, key, field, Sort::Time(moments))
    }

    fn add(
        &mut self,
        group: Option<&'static str>,
        key: &str,
        field: &Field,
        sort: Sort,
    ) -> Result<(), Error> {
        let template =
            Template::parse(&field.from).map_err(|problem| self.error(group, key, &problem))?;
        if field.otherwise.is_some() && field.values.is_empty() {
            return Err(self.error(group, key, "has `otherwise` and no `values`"));
        }
        self.fields.push(FieldPlan {
            group,
            key: key.to_owned(),
            template,
            field: field.clone(),
            sort,
        });
        Ok(())
    }

    fn error(&self, group: Option<&'static str>, key: &str, problem: &str) -> Error {
        let group = group.map(|group| format!("{group}.")).unwrap_or_default();
        Error {
            at: format!("{}.{group}{key}", self.path),
            problem: problem.to_owned(),
        }
    }
}

impl Moments {
    fn new(at: &str, format: Option<&String>, zone: Option<&String>) -> Result<Moments, Error> {
        let zone = zone
            .map(|name| {
                TimeZone::get(name).map_err(|_| Error {
                    at: format!("{at}zone"),
                    problem: "is no IANA time zone, like Europe/Helsinki".to_owned(),
                })
            })
            .transpose()?;
        Ok(Moments {
            format: format.cloned(),
            zone,
        })
    }

    fn read(&self, text: &str) -> Result<Timestamp, String> {
        let Some(format) = &self.format else {
            return text.parse().map_err(|_| {
                format!(
                    "a text of the shape `{}` is no moment with an offset, like 2026-11-20T09:31:00+02:00; set \
                     `time_format` and `zone`",
                    shape(text)
                )
            });
        };
        let other_shape = || {
            format!(
                "a text of the shape `{}` does not read as `{format}`; correct `time_format` or the row",
                shape(text)
            )
        };
        let parts = strtime::parse(format, text).map_err(|_| other_shape())?;
        if let Ok(moment) = parts.to_timestamp() {
            return Ok(moment);
        }
        let civil = parts
            .to_datetime()
            .or_else(|_| parts.to_date().map(|date| date.at(0, 0, 0, 0)))
            .map_err(|_| other_shape())?;
        let zone = self.zone.clone().ok_or_else(|| {
            "has no offset; set `zone` to where the file was written, like Europe/Helsinki"
                .to_owned()
        })?;
        zone.to_ambiguous_zoned(civil)
            .compatible()
            .map(|zoned| zoned.timestamp())
            .map_err(|_| "lies outside of all calendars".to_owned())
    }
}

fn number(text: &str) -> Result<Value, String> {
    text.parse::<f64>()
        .ok()
        .and_then(serde_json::Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| {
            format!(
                "a text of the shape `{}` is no number; correct the row",
                shape(text)
            )
        })
}

/// What a text looks like without what it says: `2026-11-20` is `9999-99-99`.
fn shape(text: &str) -> String {
    const CHARS_MAX: usize = 24;
    let mut shape: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|character| match character {
            c if c.is_numeric() => '9',
            c if c.is_uppercase() => 'A',
            c if c.is_alphabetic() => 'a',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shape.push('…');
    }
    shape
}

#[cfg(test)]
mod tests;
