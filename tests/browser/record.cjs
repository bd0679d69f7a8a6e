// Kirjaa: what a customer says to a person, written down by keyboard alone and with few keys.

const { DEPARTMENTS } = require("./company.cjs");
const { Case, Customer, Inbox, Record, includes } = require("./desk.cjs");

/** Besides the words themselves: what is written into fields. */
const PRESSES_MAX = 25;

/** So long before the promise is due. */
const DUE_DAYS = 5;

async function record(company, browser, step) {
  const person = await browser.person("venla", { language: "fi", keyboard: true });
  const counted = async (what, recorded) => {
    const { presses, letters } = person.hand;
    await (await new Inbox(person).open("delivery")).page.getByRole("heading", { level: 1 }).waitFor();
    await recorded(await new Record(person).open());
    const used = person.hand.presses - presses;
    if (used > PRESSES_MAX) throw new Error(`${what} took ${used} keys`);
    step(`${what}, with ${used} keys and ${person.hand.letters - letters} letters of words and numbers`);
  };
  await counted("another complaint about an open matter", (record) => sameMatter(company, person, record));
  await counted("a complaint of somebody new, with an order", (record) => somebodyNew(company, person, record));
  await counted("a promise with its day", (record) => promised(company, person, record));
  await counted("thanks of nobody known", (record) => thanks(company, person, record));
}

async function sameMatter(company, person, record) {
  const { hand, page, say } = person;
  const name = company.own("Elli");
  const phone = company.phone();
  await company.say("web-shop", {
    type: "delivery.late",
    product: "sofa",
    name,
    identifiers: { phone },
    references: { order: company.own("B") },
  });
  const { id, customer } = await company.caseOf(`phone:${phone}`);
  const words = `Soitti taas, yhä ei sohvaa: ${name}`;
  await hand.write(record.field("who"), phone);
  await hand.strike("Enter");
  await page.getByText(name).first().waitFor();
  await hand.tick(record.matter("Sohva myöhässä"));
  await hand.write(record.field("text"), words);
  await hand.strike("Control+Enter");
  includes(await record.saved(), say("recorded-at", { department: DEPARTMENTS.delivery }));
  const looked = await person.context.newPage();
  const beside = { ...person, page: looked, goto: (path) => looked.goto(path) };
  const said = await (await new Case(beside).open(id)).words();
  includes(said.join("\n"), words);
  const entries = await (await new Customer(beside).open(customer)).entries();
  includes(entries.find((entry) => entry.includes(words)) ?? "", "venla", say("channel-call-centre"));
  await looked.close();
}

async function somebodyNew(company, person, record) {
  const { hand, page, say } = person;
  const email = `${company.own("uusi")}@example.fi`;
  const order = company.own("C");
  await hand.write(record.field("who"), email);
  await hand.strike("Enter");
  await page.getByText(say("record-nobody-known")).waitFor();
  await hand.write(record.field("text"), `Pöytä tuli rikki: ${order}`);
  await hand.write(record.field("reference"), order);
  await hand.strike("Control+Enter");
  await record.saved();
  const opened = await company.caseOf(`email:${email}`);
  const same = await company.caseOf(`order:${order}`);
  if (opened.id !== same.id) throw new Error("the order did not come with the complaint");
}

async function promised(company, person, record) {
  const { hand, say } = person;
  const name = company.own("Lupaus");
  const phone = company.phone();
  const due = new Date(Date.now() + DUE_DAYS * 86_400_000);
  const day = `${due.getFullYear()}-${two(due.getMonth() + 1)}-${two(due.getDate())}`;
  await hand.write(record.field("who"), phone);
  await hand.strike("Enter");
  await hand.write(record.field("text"), `Lupasin rahat: ${name}`);
  await hand.press(record.page.locator("summary").getByText(say("record-promise"), { exact: true }));
  await hand.choose(record.field("promise-of"), say("promised-refund"));
  // The field is the browser's own, and so is the order of its parts.
  await hand.write(record.field("promise-due"), `${two(due.getMonth() + 1)}${two(due.getDate())}${due.getFullYear()}`);
  const typed = await record.field("promise-due").inputValue();
  if (typed !== day) throw new Error(`the day ${day} became ${typed}`);
  await hand.strike("Control+Enter");
  await record.saved();
  const { customer } = await company.caseOf(`phone:${phone}`);
  const timeline = await company.get(`/v1/customers/${customer}/timeline`, company.key("auditor"));
  const made = timeline.entries.find((entry) => entry.promise)?.promise;
  if (made?.what !== "refund" || !made.due.startsWith(day)) throw new Error(`the promise became ${JSON.stringify(made)}`);
}

async function thanks(company, person, record) {
  const { hand, say } = person;
  const words = `Kiitos kuljettajalle: ${company.own("kiitos")}`;
  await hand.write(record.field("text"), words);
  await hand.tick(record.kind("thanks"));
  await hand.strike("Control+Enter");
  includes(await record.saved(), say("recorded-for-nobody"));
}

function two(count) {
  return String(count).padStart(2, "0");
}

module.exports = { record };
