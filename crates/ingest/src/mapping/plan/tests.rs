use serde_json::json;

use super::*;

fn plan(text: &str) -> Result<Plan, Error> {
    Plan::new(&toml::from_str(text).unwrap())
}

const ORDERS: &str = r#"
    time_format = "%Y-%m-%d %H:%M:%S"
    zone = "America/New_York"

    [events.placed]
    id = "{order}/placed"
    kind = { from = "{stars}", values = { "1" = "complaint" }, otherwise = "feedback" }
    time = "{placed}"
    references.order = "{order}"
    identifiers.email = "{mail}"
    text = "{title?} {message?}"
    score = { metric = "stars", value = "{stars}", min = 1, max = 5 }
    promise = { id = "{order}", what = "delivery", due = "{promised}" }
    attributes.queue = "{queue}"

    [events.late]
    when.delivered = { empty = false, after = "promised" }
    when.status = { is = ["delivered", "done"], not = "cancelled" }
    id = "{order}/late"
    kind = "service"
    type = "delivery.late"
    time = "{delivered}"
"#;

fn row<const N: usize>(cells: [(&str, &str); N]) -> Row {
    Row::of(17, cells)
}

fn check<const N: usize>(cells: [(&str, &str); N], expected: &[Result<Value, &str>]) {
    let found: Vec<Result<Value, String>> = plan(ORDERS)
        .unwrap()
        .events(&row(cells))
        .into_iter()
        .map(|event| event.map_err(|fault| fault.to_string()))
        .collect();
    let expected: Vec<Result<Value, String>> = expected
        .iter()
        .cloned()
        .map(|event| event.map_err(str::to_owned))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn one_row_gives_each_event_whose_conditions_hold() {
    check(
        [
            ("order", "7"),
            ("placed", "2022-01-21 13:47:00"),
            ("promised", "2022-07-04 08:30:00"),
            ("delivered", "2022-07-04 08:30:01"),
            ("status", "done"),
            ("mail", "a@b.fi"),
            ("stars", "1"),
            ("title", "Bad"),
            ("message", "Very bad"),
            ("queue", "q"),
        ],
        &[
            Ok(json!({
                "id": "7/late", "kind": "service", "type": "delivery.late", "time": "2022-07-04T12:30:01Z"
            })),
            Ok(json!({
                "id": "7/placed", "kind": "complaint", "time": "2022-01-21T18:47:00Z",
                "references": {"order": "7"}, "identifiers": {"email": "a@b.fi"},
                "text": "Bad Very bad",
                "score": {"metric": "stars", "value": 1.0, "min": 1.0, "max": 5.0},
                "promise": {"id": "7", "what": "delivery", "due": "2022-07-04T12:30:00Z"},
                "attributes": {"queue": "q"}
            })),
        ],
    );
}

#[test]
fn empty_columns_leave_their_fields_out_and_a_group_goes_whole() {
    check(
        [
            ("order", "7"),
            ("placed", "2022-01-21 13:47:00"),
            ("stars", ""),
            ("message", "m"),
        ],
        &[Err(
            "row 17, event `placed`, field `kind` from `stars`: column `stars` is empty; give the event a condition \
             `when.stars.empty = false`, or correct the row",
        )],
    );
    check(
        [
            ("order", "7"),
            ("placed", "2022-01-21 13:47:00"),
            ("stars", "4"),
            ("delivered", "2022-01-22 13:47:00"),
        ],
        &[Ok(json!({
            "id": "7/placed", "kind": "feedback", "time": "2022-01-21T18:47:00Z",
            "references": {"order": "7"},
            "score": {"metric": "stars", "value": 4.0, "min": 1.0, "max": 5.0}
        }))],
    );
}

#[test]
fn faults_name_row_column_shape_and_remedy_and_not_the_text() {
    check(
        [
            ("order", "7"),
            ("placed", "21.1.2022 klo 13.47"),
            ("stars", "five"),
        ],
        &[Err(
            "row 17, event `placed`, field `time` from `placed`: a text of the shape `99.9.9999 aaa 99.99` does not \
             read as `%Y-%m-%d %H:%M:%S`; correct `time_format` or the row",
        )],
    );
    check(
        [
            ("order", "7"),
            ("placed", "2022-01-21 13:47:00"),
            ("stars", "aino@example.fi"),
        ],
        &[Err(
            "row 17, event `placed`, field `score.value` from `stars`: a text of the shape `aaaa@aaaaaaa.aa` is no \
             number; correct the row",
        )],
    );
    check(
        [
            ("order", "7"),
            ("placed", "2022-01-21 13:47:00"),
            ("stars", "5"),
            ("status", "done"),
            ("delivered", "soon"),
            ("promised", "2022-01-21 13:47:00"),
        ],
        &[
            Err(
                "row 17, event `late`, field `when` from `delivered`: a text of the shape `aaaa` does not read as \
                 `%Y-%m-%d %H:%M:%S`; correct `time_format` or the row",
            ),
            Ok(json!({
                "id": "7/placed", "kind": "feedback", "time": "2022-01-21T18:47:00Z", "references": {"order": "7"},
                "score": {"metric": "stars", "value": 5.0, "min": 1.0, "max": 5.0},
                "promise": {"id": "7", "what": "delivery", "due": "2022-01-21T18:47:00Z"}
            })),
        ],
    );
}

#[test]
fn moments_read_in_the_ways_files_write_them() {
    let read = |head: &str, text: &str| {
        let plan = plan(&format!(
            "{head}\n[events.a]\nid = '1'\nkind = 'service'\ntime = '{{t}}'\n"
        ))
        .unwrap();
        let event = plan.events(&row([("t", text)])).remove(0);
        event.map(|event| event["time"].as_str().unwrap().to_owned())
    };
    let new_york = "zone = 'America/New_York'";
    for (head, text, moment) in [
        (
            "",
            "2026-11-20T09:31:00+02:00",
            Some("2026-11-20T07:31:00Z"),
        ),
        ("", "2026-11-20T09:31:00", None),
        (
            "time_format = '%d.%m.%Y'\nzone = 'Europe/Helsinki'",
            "1.6.2026",
            Some("2026-05-31T21:00:00Z"),
        ),
        ("time_format = '%d.%m.%Y'", "1.6.2026", None),
        (
            "time_format = '%Y-%m-%dT%H:%M:%S%z'",
            "2026-06-01T00:00:00-0700",
            Some("2026-06-01T07:00:00Z"),
        ),
        (
            "time_format = '%s'",
            "1763628660",
            Some("2025-11-20T08:51:00Z"),
        ),
        // The hour that a zone skips in spring and the one it has twice in autumn.
        (
            &format!("time_format = '%Y-%m-%d %H:%M'\n{new_york}"),
            "2022-03-13 02:30",
            Some("2022-03-13T07:30:00Z"),
        ),
        (
            &format!("time_format = '%Y-%m-%d %H:%M'\n{new_york}"),
            "2022-11-06 01:30",
            Some("2022-11-06T05:30:00Z"),
        ),
    ] {
        assert_eq!(read(head, text).ok().as_deref(), moment, "{head} {text}");
    }
}

#[test]
fn a_constant_moment_is_written_as_everywhere() {
    let plan = plan(
        "time_format = '%d.%m.%Y'\nzone = 'Europe/Helsinki'\n[events.a]\nid = '{id}'\nkind = 'service'\n\
         time = '2016-09-01T00:00:00Z'\n",
    )
    .unwrap();
    let event = plan.events(&row([("id", "1")])).remove(0).unwrap();
    assert_eq!(event["time"], "2016-09-01T00:00:00Z");
}

#[test]
fn a_mapping_that_cannot_work_is_refused_by_path() {
    let event = "[events.a]\nid = '{id}'\nkind = 'service'\ntime = '{t}'\n";
    for (text, said) in [
        ("[events]".to_owned(), "`events` is empty"),
        (
            format!("zone = 'Europe/Oulu'\n{event}"),
            "`zone` is no IANA time zone",
        ),
        (
            format!("{event}text = '{{id'\n"),
            "`events.a.text` has a brace",
        ),
        (
            format!("{event}when.id = {{}}\n"),
            "`events.a.when.id` asks nothing",
        ),
        (
            format!("{event}references.order = {{ from = '{{id}}', otherwise = 'x' }}\n"),
            "`events.a.references.order` has `otherwise` and no `values`",
        ),
        (
            format!("{event}place = {{ from = '{{id}}', zone = 'UTC' }}\n"),
            "`events.a.place` is no moment",
        ),
    ] {
        let error = plan(&text).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
    for unknown in [
        "tpe = 'x'",
        "score = { metric = 'x' }",
        "text = { form = 'x' }",
    ] {
        let text = format!("{event}{unknown}\n");
        let error = toml::from_str::<Mapping>(&text).unwrap_err().to_string();
        assert!(error.contains("line 5"), "{error}");
    }
}

#[test]
fn a_file_of_another_kind_is_noticed_by_its_columns() {
    let plan = plan(ORDERS).unwrap();
    let columns = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let all = "order stars placed mail title message promised queue delivered status";
    assert_eq!(plan.check_columns(&columns(all)), Ok(()));
    let error = plan
        .check_columns(&columns(&all.replace("promised", "promissed")))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`events.late.when` names the column `promised`, which the file does not have; did you mean `promissed`?"
    );
}

#[test]
fn a_mapping_reads_back_as_it_is_shown() {
    let mapping: Mapping = toml::from_str(ORDERS).unwrap();
    let shown = toml::to_string(&mapping).unwrap();
    assert_eq!(
        toml::from_str::<Mapping>(&shown).unwrap(),
        mapping,
        "{shown}"
    );
}
