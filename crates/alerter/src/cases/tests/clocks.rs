use calendar::clock::clocks;

use super::*;

#[test]
fn the_clocks_are_read_from_the_history() {
    let mut company = company_of(&["delivery", "posti"]);
    use event::rules::Weekday::{Fri, Mon, Thu, Tue, Wed};
    let office = [Mon, Tue, Wed, Thu, Fri].map(|day| (day, vec!["08:00-16:00".to_owned()]));
    let delivery = company.departments.get_mut(&department("delivery"));
    delivery.unwrap().hours = office.into();
    let mut world = World::new(1, company.clone());
    let case = matter(1).own_case();
    let mut complaint = signal(0, event::Kind::Complaint, "delivery.late");
    complaint.party = Some(name("posti"));
    let mut number = 0;
    let mut give = |world: &mut World, what, to: Option<&str>| {
        number += 1;
        let given = Command {
            to: to.map(department),
            ..command(number, case, what)
        };
        let _counted = world.give(CaseInput::Command(given));
    };
    let read = |world: &World| {
        let state = world.cases()[&case].clone();
        let clocks = clocks(&state, &world.steps(case), &company, world.now);
        let hours = |length: Millis| length.as_millis() / 3_600_000;
        (
            hours(clocks.customer_wait),
            hours(clocks.owner),
            hours(clocks.party),
        )
    };

    // Monday noon in London is 14:00 in Helsinki; Polku hears of it at 15:00.
    world.now = noon() + Millis::from_hours(1);
    let _counted = world.give(CaseInput::Signal(complaint));
    assert_eq!(
        read(&world),
        (1, 0, 0),
        "the customer waits since it happened"
    );
    world.now = noon() + Millis::from_hours(19);
    assert_eq!(
        read(&world),
        (19, 2, 0),
        "business hours only, 15-16 and 8-9"
    );
    give(&mut world, CommandKind::HandOff, Some("posti"));
    give(&mut world, CommandKind::Accept, None);
    world.now = noon() + Millis::from_hours(24);
    assert_eq!(
        read(&world),
        (24, 2, 5),
        "the party's time stops the department's clock"
    );
    give(&mut world, CommandKind::HandOff, Some("delivery"));
    give(&mut world, CommandKind::Accept, None);
    world.now = noon() + Millis::from_hours(25);
    give(&mut world, CommandKind::Resolve, None);
    assert_eq!(read(&world), (25, 3, 5));
    world.now = noon() + Millis::from_hours(45);
    assert_eq!(
        read(&world),
        (25, 3, 5),
        "all stand still while it is resolved"
    );
    give(&mut world, CommandKind::Reopen, None);
    world.now = noon() + Millis::from_hours(46);
    assert_eq!(read(&world), (26, 4, 5), "and go on when it is reopened");
}
