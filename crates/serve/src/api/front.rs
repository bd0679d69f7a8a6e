//! `/`: a page for a person who opens the address: what this is, the totals, the departments. Nothing personal.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{Anybody, Api, counts, departments, refusal::Refusal};

/// Nothing is loaded, run or styled: the page is plain markup.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"refresh\" content=\"5\">
<title>Polku</title>
</head>
<body>
<h1>Polku</h1>
<p>One timeline per customer, and every unresolved matter at a department that owns it.</p>
<p><a href=\"/openapi.json\">The API</a> · <a href=\"/v1/counts\">The counts</a> · <a href=\"/metrics\">The metrics</a> ·
<a href=\"/readyz\">Is it ready?</a></p>
";

pub(super) async fn front(State(api): State<Api>, seen: Result<Anybody, Refusal>) -> Response {
    let mut page = HEAD.to_owned();
    if seen.is_ok() {
        figures(&api, &mut page);
    } else {
        page.push_str("<p>The figures are for those who have a key.</p>\n");
    }
    page.push_str("</body>\n</html>\n");
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
    ];
    (headers, page).into_response()
}

fn figures(api: &Api, page: &mut String) {
    let state = api.state();
    let counts = counts::of(&state);
    let sum = format!(
        "{} accepted = {} entries + {} pending + {} anonymous + {} apart",
        counts.events.accepted, counts.entries, counts.pending, counts.anonymous, counts.apart
    );
    let verdict = if counts.balanced {
        "The totals balance."
    } else {
        "The totals do not balance now."
    };
    let rows = [
        ("Events", sum),
        (
            "Repeats that changed nothing",
            counts.events.duplicate.to_string(),
        ),
        ("Refused at a door", counts.events.rejected.to_string()),
        ("Refused by a machine", counts.events.refused.to_string()),
        ("Customers", counts.customers.to_string()),
        (
            "Open cases",
            (counts.cases.open + counts.cases.acknowledged).to_string(),
        ),
        ("Resolved cases", counts.cases.resolved.to_string()),
    ];
    page.push_str("<h2>Totals</h2>\n<table>\n");
    for (name, value) in rows {
        row(page, name, &value);
    }
    page.push_str("</table>\n");
    page.push_str("<p>");
    page.push_str(verdict);
    page.push_str("</p>\n<h2>Open cases by department</h2>\n<table>\n");
    for department in departments::all(&state) {
        let open = departments::open(&state, &department);
        row(
            page,
            &state.companies.name_of(&department),
            &open.to_string(),
        );
    }
    page.push_str("</table>\n");
}

fn row(page: &mut String, name: &str, value: &str) {
    writeln!(
        page,
        "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
        escaped(name),
        escaped(value)
    )
    .expect("a text takes more text");
}

/// A department's name is what somebody wrote into a file.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_text_on_the_page() {
        let name = "<img src=x onerror='a'> & \"b\"";
        assert_eq!(
            escaped(name),
            "&lt;img src=x onerror=&#39;a&#39;&gt; &amp; &quot;b&quot;"
        );
    }
}
