//! The document at `/openapi.json` is part of the surface: it changes only on purpose. `INSTA_UPDATE=always` writes the snapshot.

use event::Time;
use tests::{scenario::Stage as _, stage::virtual_time::VirtualTime};

#[test]
fn the_document_says_what_it_said() {
    let mut polku = VirtualTime::new(Time::from_millis(1_772_438_400_000));
    let answer = polku.get("auditor", "/openapi.json");
    assert_eq!(answer.status, 200);
    let paths = answer.body["paths"]
        .as_object()
        .expect("the document has paths");
    assert!(
        paths.contains_key("/v1/sources/{source}/events")
            && paths.contains_key("/v1/cases/{id}/commands")
    );
    insta::assert_json_snapshot!("openapi", answer.body);
}
