//! What the tests of all modules build on.

use event::{
    Channel, Company, DepartmentId, EventId, Kind, MatterId, Millis, Name, Perspective, ProfileId,
    SourceId, Time, Token, Version,
    case_input::{Signal, SignalKind},
    rules::Department,
};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn department(text: &str) -> DepartmentId {
    DepartmentId::new(text).unwrap()
}

/// A company of departments that are always open; the first receives what no route takes.
pub(crate) fn company_of(departments: &[&str]) -> Company {
    let mut company = Company {
        version: 1,
        departments: departments
            .iter()
            .map(|id| (department(id), Department::default()))
            .collect(),
        ..Company::default()
    };
    company.routes.receiver = departments.first().map(|id| department(id));
    company
}

pub(crate) fn token(number: u64) -> Token {
    Token::hash("sample", &[&number.to_be_bytes()])
}

/// The numbers order the matters, so that a test can tell which case id is the smallest.
pub(crate) fn matter(number: u8) -> MatterId {
    MatterId::new(Token::new([number; 16]))
}

pub(crate) fn noon() -> Time {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A live signal about matter 1, straight from a timeline, a minute later for each number.
pub(crate) fn signal(number: u64, kind: Kind, what: &str) -> Signal {
    let minutes = i64::try_from(number).unwrap();
    let time = noon() + Millis::from_secs(60 * minutes);
    Signal {
        case: matter(1).own_case(),
        matter: matter(1),
        matter_version: Version::ZERO,
        what: match kind {
            Kind::Complaint => SignalKind::Complaint,
            Kind::Feedback => SignalKind::Feedback,
            Kind::Service | Kind::Unknown => SignalKind::Contact,
        },
        event: EventId::new(token(number)),
        revision: 0,
        withdrawn: false,
        profile: ProfileId::new(token(1_000)),
        anchor: token(1_000),
        route: token(1_000),
        route_version: Version::ZERO,
        time,
        received: time,
        source: SourceId::new("web-shop").unwrap(),
        channel: Channel::Web,
        kind,
        name: name(what),
        perspective: Perspective::Customer,
        history: false,
        score: None,
        place: None,
        product: None,
        stage: None,
        touchpoint: None,
        party: None,
    }
}
