//! A department's place on the customer's path: what happens at its stages and touchpoints, how customers find it, what is open,
//! and the thanks it got.

mod part;
mod picture;
mod thanks;

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use event::{Company, DepartmentId, Name, access::AccessKind, rules::Journey};

use self::{
    part::Part,
    picture::{Bar, Bars, Stop},
    thanks::Thanks,
};
use super::{
    entry::decimal,
    page::{Frame, Person, Place, page},
    speech::Speech,
    trouble::Trouble,
};
use crate::{
    access,
    api::{Api, departments},
    model::{
        self,
        figures::{Scores, Volume},
        handling::Age,
    },
    personal,
};

#[derive(Template)]
#[template(path = "path.html")]
struct PathPage {
    frame: Frame,
    department: DepartmentId,
    departments: Vec<Tab>,
    journeys: Vec<JourneyView>,
    owns_none: bool,
    /// What the company promises everybody and the department keeps.
    promises: Vec<String>,
    ages: Vec<(String, Bar)>,
    standing: Vec<Figure>,
    units: Vec<Row>,
    thanks: Vec<Thanks>,
}

/// A link among others, of which one is this page.
pub(super) struct Tab {
    pub(super) text: String,
    pub(super) address: String,
    pub(super) is_here: bool,
}

struct JourneyView {
    name: String,
    stops: Vec<Stop>,
    rows: Vec<Row>,
    /// The department's own stages, for whoever works there.
    parts: Vec<Part>,
}

/// A stage, a touchpoint or a unit in figures.
struct Row {
    name: String,
    kind: Kind,
    is_own: bool,
    total: u64,
    complaints: u64,
    feedback: u64,
    praise: u64,
    scores: Vec<Score>,
    open: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stage,
    Touchpoint,
    Unit,
}

/// What customers answered to one question.
struct Score {
    /// "nps 72 % (14 vastausta)".
    said: String,
    bars: Bars,
}

/// One number with its name, and where it leads.
struct Figure {
    name: String,
    count: u64,
    address: Option<String>,
    is_bad: bool,
}

/// What happened at one stage or touchpoint, and what is open of it.
#[derive(Default)]
struct Spot {
    volume: Volume,
    open: u64,
}

/// By stage, and by touchpoint of a stage.
type Spots = BTreeMap<(Option<Name>, Option<Name>), Spot>;

pub(super) async fn path(
    State(api): State<Api>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let (template, read) = {
        let state = api.state();
        let department = departments::permitted(&state, &person.credential, &id)?;
        let speech = person.speech(&api, &state, Some(&department));
        let (thanks, read) = thanks::latest(&state, &speech, &person, &department);
        let template = path_page(&state, &speech, &person, department, thanks);
        (template, read)
    };
    if !read.is_empty() {
        // The words of thanks are their customers': whoever reads them is written down.
        let reason = Some(template.frame.title.clone());
        let caller = &person.credential;
        let records = access::records(caller, api.now(), AccessKind::Timeline, &read, reason);
        api.append(records).await?;
    }
    page(&template)
}

fn path_page(
    state: &model::State,
    speech: &Speech,
    person: &Person,
    department: DepartmentId,
    thanks: Vec<Thanks>,
) -> PathPage {
    let named = [("department", speech.department(&department).into())];
    let title = speech.with("path-title", named);
    let company = speech.company();
    let spots = spots(state, company, &department);
    let owns = |journey: &&Journey| journey.owners.values().any(|owner| *owner == department);
    let own: Vec<_> = company
        .journeys
        .iter()
        .filter(|(_, journey)| owns(journey))
        .collect();
    let owns_none = own.is_empty();
    // Who owns no stage sees the whole path: where customers are before they come.
    let shown = if owns_none {
        company.journeys.iter().collect()
    } else {
        own
    };
    let journeys = shown.into_iter().map(|(name, journey)| JourneyView {
        name: Speech::sentence(&speech.label(name)),
        stops: picture::stops(speech, journey, &department, &spots),
        rows: rows(speech, journey, &department, &spots),
        parts: part::parts(speech, journey, &department),
    });
    let mut journeys: Vec<JourneyView> = journeys.collect();
    // Most of what customers say names no stage: it is not the department's alone, and not to be forgotten.
    if let (Some(last), Some(nowhere)) = (journeys.last_mut(), spots.get(&(None, None))) {
        let name = speech.say("path-nowhere");
        last.rows
            .push(Row::new(speech, name, Kind::Stage, false, Some(nowhere)));
    }
    let tabs = person.departments(state).into_iter().map(|id| Tab {
        text: speech.department(&id),
        address: format!("/path/{id}"),
        is_here: id == department,
    });
    let standing = state.standing(&department, speech.now);
    let most = standing.ages.values().copied().max().unwrap_or_default();
    let ages = Age::ALL.map(|age| {
        let count = standing.ages.get(&age).copied().unwrap_or_default();
        (
            speech.named("path-age", age.as_str()),
            Bar::new(count, most),
        )
    });
    PathPage {
        frame: Frame::new(state, person, Place::Path, title),
        departments: tabs.collect(),
        journeys,
        owns_none,
        promises: part::promises(speech, &department),
        ages: ages.into(),
        standing: figures(state, speech, &department, &standing),
        units: units(state, speech, &department),
        thanks,
        department,
    }
}

/// All that happened, and the department's open cases, by where on the path.
fn spots(state: &model::State, company: &Company, department: &DepartmentId) -> Spots {
    let mut spots = Spots::new();
    for (spot, volume) in state.figures.spots() {
        let stage = spot.stage(company).cloned();
        let whole = spots.entry((stage.clone(), None)).or_default();
        whole.volume.join(volume);
        if spot.touchpoint.is_some() {
            let part = spots.entry((stage, spot.touchpoint.clone())).or_default();
            part.volume.join(volume);
        }
    }
    for case in state.cases.open(department) {
        if case.dormant || case.test {
            continue;
        }
        let mut steps = state.cases.steps(case.case);
        let opener = steps.find_map(|step| step.event);
        let Some(row) = opener.and_then(|event| state.events.get(event)) else {
            continue;
        };
        let event = personal::event(&row.bytes);
        let touchpoint = event.touchpoint.as_ref();
        let stage = model::figures::stage(company, event.stage.as_ref(), touchpoint).cloned();
        spots.entry((stage.clone(), None)).or_default().open += 1;
        if event.touchpoint.is_some() {
            spots
                .entry((stage, event.touchpoint.clone()))
                .or_default()
                .open += 1;
        }
    }
    spots
}

/// Each stage of the journey, and the touchpoints of the department's own.
fn rows(speech: &Speech, journey: &Journey, department: &DepartmentId, spots: &Spots) -> Vec<Row> {
    let mut rows = Vec::new();
    for stage in &journey.stages {
        let is_own = journey.owners.get(stage) == Some(department);
        let at = |touchpoint: Option<Name>| spots.get(&(Some(stage.clone()), touchpoint));
        let name = Speech::sentence(&speech.label(stage));
        rows.push(Row::new(speech, name, Kind::Stage, is_own, at(None)));
        if !is_own {
            continue;
        }
        for (touchpoint, _) in journey.touchpoints.iter().filter(|(_, of)| *of == stage) {
            let name = Speech::sentence(&speech.label(touchpoint));
            let spot = at(Some(touchpoint.clone()));
            rows.push(Row::new(speech, name, Kind::Touchpoint, is_own, spot));
        }
    }
    rows
}

impl Row {
    fn new(speech: &Speech, name: String, kind: Kind, is_own: bool, spot: Option<&Spot>) -> Row {
        let nothing = Spot::default();
        let Spot { volume, open } = spot.unwrap_or(&nothing);
        let scores = volume.scores.iter().filter(|(_, scores)| scores.count > 0);
        Row {
            name,
            kind,
            is_own,
            total: volume.total(),
            complaints: volume.complaints,
            feedback: volume.feedback,
            praise: volume.praise(speech.company()),
            scores: scores
                .map(|(metric, scores)| Score {
                    said: mean(speech, metric, scores),
                    bars: Bars::new(&scores.tenths),
                })
                .collect(),
            open: *open,
        }
    }

    fn is_stage(&self) -> bool {
        self.kind == Kind::Stage
    }
}

/// "nps 72 % (14)": the mean as a share of the scale.
fn mean(speech: &Speech, metric: &Name, scores: &Scores) -> String {
    let mean = scores.mean().unwrap_or_default() * 100.0;
    let values = [
        ("metric", speech.label(metric).into()),
        ("mean", decimal(speech, &format!("{mean:.0}")).into()),
        ("count", scores.count.to_string().into()),
    ];
    speech.with("path-score", values)
}

fn figures(
    state: &model::State,
    speech: &Speech,
    department: &DepartmentId,
    standing: &model::handling::Standing,
) -> Vec<Figure> {
    let inbox = |show: &str| Some(format!("/inbox/{department}?show={show}"));
    let handled = state.cases.handling().of(department);
    let figure = |key: &str, count, address, is_bad| Figure {
        name: speech.say(key),
        count,
        address,
        is_bad,
    };
    let open = Some(format!("/inbox/{department}"));
    let mut figures = vec![
        figure("path-open", standing.open(), open, false),
        figure("path-due-soon", standing.due_soon, inbox("due-soon"), false),
        figure(
            "path-overdue",
            standing.overdue,
            inbox("overdue"),
            standing.overdue > 0,
        ),
    ];
    for (party, count) in &standing.waiting {
        let values = [("party", speech.label(party).into())];
        figures.push(Figure {
            name: speech.with("path-waiting", values),
            count: *count,
            address: inbox("waiting"),
            is_bad: false,
        });
    }
    figures.push(figure("path-missed", handled.missed, None, false));
    figures.push(figure("path-escalated", handled.escalated, None, false));
    figures.push(figure(
        "path-resolved",
        handled.resolved,
        inbox("resolved"),
        false,
    ));
    figures
}

/// What happened at the places of each of the department's parts.
fn units(state: &model::State, speech: &Speech, department: &DepartmentId) -> Vec<Row> {
    let Some(configured) = speech.company().departments.get(department) else {
        return Vec::new();
    };
    let mut by_unit: BTreeMap<&Name, Spot> = configured
        .units
        .keys()
        .map(|unit| (unit, Spot::default()))
        .collect();
    for (place, volume) in state.figures.places() {
        let unit = configured.unit_of(place);
        if let Some(spot) = unit.and_then(|unit| by_unit.get_mut(unit)) {
            spot.volume.join(volume);
        }
    }
    for case in state.cases.open(department) {
        let unit = case.unit.as_ref().filter(|_| !case.dormant && !case.test);
        if let Some(spot) = unit.and_then(|unit| by_unit.get_mut(unit)) {
            spot.open += 1;
        }
    }
    let rows = by_unit.iter().map(|(id, spot)| {
        let unit = &configured.units[*id];
        let name = if unit.name.is_empty() {
            id.to_string()
        } else {
            unit.name.clone()
        };
        Row::new(speech, name, Kind::Unit, true, Some(spot))
    });
    rows.collect()
}
