//! Notices to try things with.

use event::{
    CaseId, Channel, DepartmentId, Name, NoticeId, Time, Token,
    case::Severity,
    notice::{Notice, Why},
};

pub(crate) fn notice(number: i64, case: u8) -> Notice {
    let name = |text| Name::new(text).unwrap();
    let time: Time = "2026-11-20T10:00:00Z".parse().unwrap();
    Notice {
        id: NoticeId::new(Token::hash("sample", &[&number.to_be_bytes()])),
        department: department(),
        why: Why::Opened,
        case: CaseId::new(Token::new([case; 16])),
        step: 1,
        time,
        what: name("delivery.late"),
        place: Some(name("store:kamppi")),
        unit: None,
        party: Some(name("posti")),
        severity: Severity::High,
        contacts: 3,
        channels: vec![Channel::Web, Channel::CallCentre],
        from: None,
        answer_by: Some(time + event::time::Millis::from_hours(4)),
        route: vec![name("all"), name("deliveries")],
        customer: None,
    }
}

pub(crate) fn department() -> DepartmentId {
    DepartmentId::new("delivery").unwrap()
}
