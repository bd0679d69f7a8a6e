//! What departments are told. Nothing personal and no free text goes into a notice.

use std::collections::BTreeSet;

use event::{
    Company, DepartmentId, Name, NoticeId, Perspective, Token,
    case::{Severity, State},
    case_input::Signal,
    notice::{Notice, Why},
};

use crate::{case::Told, route};

/// The unit of a department that a place belongs to.
pub(crate) fn unit(
    company: &Company,
    department: &DepartmentId,
    place: Option<&Name>,
) -> Option<Name> {
    company
        .departments
        .get(department)?
        .unit_of(place?)
        .cloned()
}

/// A notice of a case as it stands after the change that caused it. Its id is made of the case, the step, the department
/// and the reason, so that it stays the same however often it is made.
pub(crate) fn of_step(company: &Company, state: &State, told: Told) -> Notice {
    let parts: [&[u8]; 4] = [
        state.case.as_bytes(),
        &told.step.to_be_bytes(),
        told.department.as_str().as_bytes(),
        told.why.as_str().as_bytes(),
    ];
    let unit = unit(company, &told.department, state.place.as_ref());
    Notice {
        id: NoticeId::new(Token::hash("notice", &parts)),
        department: told.department,
        why: told.why,
        case: state.case,
        step: told.step,
        time: told.time,
        what: state.what.clone(),
        place: state.place.clone(),
        unit,
        party: state.party.clone(),
        severity: state.severity,
        contacts: state.contacts,
        channels: state.channels.clone(),
        from: told.from,
        answer_by: state.deadline,
        route: state.route.clone(),
        customer: None,
    }
}

/// What the keeper of a promise is told of a matter that no case handles. The id is made of what it says, so that it stays the same
/// however often it is said.
pub(crate) fn of_promise(
    company: &Company,
    signal: &Signal,
    keeper: DepartmentId,
    why: Why,
) -> Notice {
    let parts: [&[u8]; 4] = [
        signal.event.as_bytes(),
        &signal.revision.to_be_bytes(),
        keeper.as_str().as_bytes(),
        why.as_str().as_bytes(),
    ];
    Notice {
        id: NoticeId::new(Token::hash("notice.promise", &parts)),
        unit: unit(company, &keeper, signal.place.as_ref()),
        department: keeper,
        why,
        case: signal.case,
        step: 0,
        time: signal.time,
        what: signal.name.clone(),
        place: signal.place.clone(),
        party: signal.party.clone(),
        severity: Severity::Normal,
        contacts: 0,
        channels: Vec::new(),
        from: None,
        answer_by: signal.due,
        route: Vec::new(),
        customer: Some(signal.profile),
    }
}

/// Thanks go to every department on the matter's path, to those that answer for the party, and to whoever the routes name:
/// without owner, clock or escalation. The id is made of the case, the event and its revision, so that thanks are the same however
/// often they are passed on, and others where the matter belongs to another case by now, or says something else. Whose thanks they
/// are they do not say: that may be known otherwise when they are passed on again.
pub(crate) fn of_praise(
    company: &Company,
    signal: &Signal,
    case: Option<&State>,
) -> impl Iterator<Item = Notice> {
    let decision = route::decide(company, signal);
    let mut departments: BTreeSet<DepartmentId> = decision.also.into_iter().collect();
    departments.insert(decision.owner);
    if signal.perspective != Perspective::Test {
        departments.extend(case.into_iter().flat_map(|case| &case.trail).cloned());
        if let Some(party) = &signal.party {
            let answers = company.departments.iter().filter(|(id, department)| {
                id.as_str() == party.as_str() || department.parties.contains(party)
            });
            departments.extend(answers.map(|(id, _)| id.clone()));
        }
    }
    departments.into_iter().map(move |department| {
        let revision = signal.revision.to_be_bytes();
        let parts: [&[u8]; 4] = [
            signal.case.as_bytes(),
            signal.event.as_bytes(),
            &revision,
            department.as_str().as_bytes(),
        ];
        let unit = unit(company, &department, signal.place.as_ref());
        Notice {
            id: NoticeId::new(Token::hash("notice.praise", &parts)),
            department,
            why: Why::Praise,
            case: signal.case,
            step: 0,
            time: signal.received,
            what: signal.name.clone(),
            place: signal.place.clone(),
            unit,
            party: signal.party.clone(),
            severity: Severity::Low,
            contacts: 1,
            channels: vec![signal.channel],
            from: None,
            answer_by: None,
            route: decision.names.clone(),
            customer: None,
        }
    })
}
