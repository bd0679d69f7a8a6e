use super::*;
use crate::company::read;

fn faults(text: &str) -> String {
    read(Path::new("company.toml"), text).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn a_company_that_contradicts_itself_is_told_every_fault() {
    assert_eq!(faults(include_str!("../../demo/company.toml")), "");
    for (text, expected) in [
        ("[cases]\npraise_from = nan\n", "cases.praise_from"),
        (
            "version = 3\n",
            "line 1, column 11: version: `version` and `blocked` are set",
        ),
        ("[routes]\nreceiver = 'nobody'\n[departments.a]\n", "nobody"),
        ("[departments.a]\nhour = {}\n", "did you mean `hours`?"),
        (
            "name = 'A'\n[identifiers.badge]\nlimit = 2\n",
            "line 2, column 1: identifiers.badge.strength: is missing",
        ),
        (
            "[references.order]\nstrength = 10\nlimit = 0\n",
            "line 3, column 9: references.order.limit: is 0",
        ),
        (
            "[identifiers.email]\nstrength = 30\nwindow = '5m'\n",
            "line 3, column 10: identifiers.email.window: is shorter than an hour",
        ),
        (
            "[identifiers.email]\nstrength = 30\npatterns = [\n  '^a',\n  '^(no-?reply',\n]\n",
            "line 5, column 3: identifiers.email.patterns[1]: `^(no-?reply` is no regular expression: unclosed group at its \
             character 2; put \\ before",
        ),
        (
            "[identity]\nown = ['+358 10 123 4567', 'Asiakaspalvelu@shop.example', '010 123', 'our shop']\n",
            "line 2, column 70: identity.own[3]: `our shop` is neither",
        ),
        (
            "[identity]\nown = ['me@here']\nmerges_max = 0\n",
            "identity.merges_max: is 0",
        ),
    ] {
        let said = faults(text);
        assert!(
            said.contains("company.toml") && said.contains(expected),
            "{text}: {said}"
        );
    }
}

#[test]
fn a_department_speaks_by_sources_that_exist() {
    let company = read(
        Path::new("company.toml"),
        "[departments.care]\nsources = ['zendesk', 'help-desk']\n[routes]\nreceiver = 'care'\n",
    )
    .expect("the company is good");
    let source = |id: &str| SourceId::new(id).expect("a source's id");
    let path = Path::new("company.toml");
    let all = [source("zendesk"), source("help-desk")];
    assert!(knows_sources(&company, all.iter(), path).is_ok());
    assert!(knows_sources(&company, [].iter(), path).is_ok());
    let error = knows_sources(&company, all[..1].iter(), path).expect_err("one is missing");
    let said = error.to_string();
    let expected =
        "departments.care.sources[1]: polku.toml has no source `help-desk`, only: zendesk";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_type_that_only_a_source_knows_is_named() {
    let company = read(
        Path::new("company.toml"),
        "[references.claim]\nstrength = 70\n",
    )
    .expect("the company is good");
    let sources: Sources = toml::from_str(
        "[survey]\nchannel = 'web'\nformat = 'typeform'\n\
         fields = { a = 'references.claim', b = 'references.clam', c = 'identifiers.email', d = 'place' }\n\
         defaults = { 'identifiers.badge' = 'x' }\n\
         [archive]\nchannel = 'store'\n[archive.mapping.events.sale]\n\
         id = '{id}'\nkind = 'service'\ntime = '{time}'\n\
         identifiers = { emial = '{mail}' }\nreferences = { order = '{order}' }\n",
    )
    .expect("the sources are readable");
    let said = warnings(&company, &sources);
    for (warning, expected) in said.iter().zip([
        "`sources.archive` fills `identifiers.emial`, which the company does not know (did you mean `email`?)",
        "`sources.survey` fills `identifiers.badge`, which the company does not know: ",
        "`sources.survey` fills `references.clam`, which the company does not know (did you mean `claim`?)",
    ]) {
        assert!(warning.starts_with(expected), "{warning}");
    }
    assert_eq!(said.len(), 3, "{said:#?}");
}

#[test]
fn a_built_in_type_that_is_read_in_another_way_is_named() {
    let of = |text: &str| {
        let company = read(Path::new("company.toml"), text).expect("the company is good");
        warnings(&company, &Sources::new())
    };
    let said = of("[identifiers.email]\nstrength = 30\nlimit = 3\n");
    let expected = "`[identifiers.email]` replaces the built-in type whole and reads its values `verbatim`: write `normaliser = \"email\"`";
    assert!(said.len() == 1 && said[0].starts_with(expected), "{said:?}");
    let good = "[identifiers.email]\nstrength = 30\nlimit = 3\nnormaliser = 'email'\n";
    assert_eq!(of(good), Vec::<String>::new());
}

#[test]
fn the_order_of_strength_is_fixed_and_may_grow_at_its_end() {
    let company = |text: &str| read(Path::new("company.toml"), text).expect("the company is good");
    let before = company("");
    let path = Path::new("company.toml");
    assert!(
        keeps_strength(
            &before,
            &company("[identifiers.badge]\nstrength = 60\n"),
            path
        )
        .is_ok()
    );
    for text in [
        "[identifiers.badge]\nstrength = 5\n",
        "[identifiers.email]\nstrength = 1\n",
    ] {
        let error =
            keeps_strength(&before, &company(text), path).expect_err("it changes the order");
        assert!(error.to_string().contains("order of strength"), "{error}");
    }
}
