// A complaint's way through two departments: by mouse, by keyboard alone, and without script.

const { DEPARTMENTS } = require("./company.cjs");
const { Inbox, inOrder, includes, signIn } = require("./desk.cjs");

/** What a customer says at the web shop's door. */
function complaint(company) {
  const name = company.own("Aino");
  return {
    name,
    text: `Missä sohvani on? ${name}`,
    event: {
      type: "delivery.late",
      product: "sofa",
      name,
      text: `Missä sohvani on? ${name}`,
      identifiers: { email: `${name}@example.fi`.toLowerCase() },
      references: { order: company.own("A") },
      touchpoint: "web-shop",
      party: "courier",
    },
  };
}

async function walk(company, browser, step, { language, keyboard }) {
  const said = complaint(company);
  const venla = await browser.person(null, { language, keyboard });
  const lempi = await browser.person(null, { language, keyboard });
  await signIn(venla, company.key("venla"));
  await signIn(lempi, company.key("lempi"));
  const delivery = await new Inbox(venla).open("delivery");
  const finance = await new Inbox(lempi).open("finance");
  step("both are signed in, each with an inbox open");

  await company.say("web-shop", said.event);
  includes(await delivery.sees(said.name), said.text);
  step("the complaint appears in the open inbox");

  const atDelivery = await delivery.take(said.name);
  await atDelivery.press("acknowledge");
  await atDelivery.press("claim");
  await atDelivery.contact("phone", "yes");
  await atDelivery.note(`Kuljettaja etsii: ${said.name}`);
  await atDelivery.handOff(DEPARTMENTS.finance, `Rahat takaisin: ${said.name}`);
  step("it is acknowledged, claimed, the customer called, a note made, and it is handed off");

  await finance.sees(said.name);
  const atFinance = await finance.take(said.name);
  await atFinance.press("accept");
  await atDelivery.hearsOfAChange();
  step("the other department sees it and accepts; the giver's open page says that it has changed");

  await atFinance.resolve("email", `Hyvitetty: ${said.name}`);
  const back = await new Inbox(venla).open("delivery");
  await back.loses(said.name);
  step("it is resolved, and no longer in the giver's inbox");

  const { say } = lempi;
  includes(
    await atFinance.history(),
    say("step-opened", { owner: DEPARTMENTS.delivery }),
    say("step-claimed"),
    say("step-acknowledged"),
    say("step-contacted", { how: say("how-phone") }),
    `Kuljettaja etsii: ${said.name}`,
    say("step-offered", { other: DEPARTMENTS.finance }),
    `Rahat takaisin: ${said.name}`,
    say("step-accepted", { owner: DEPARTMENTS.finance }),
    say("step-resolved", { how: say("how-email") }),
    `Hyvitetty: ${said.name}`,
    "venla",
    "lempi",
  );
  const customer = await atFinance.customer();
  const happened = ["opened", "acknowledged", "claimed", "contacted", "noted", "offered", "accepted", "resolved"];
  inOrder(await customer.entries(), [said.text, ...happened.map((what) => say(`happened-${what}`))]);
  step("the case's history and the customer's timeline show all of it");
}

/** A link or a form at a time, each answered by a page. */
async function withoutScript(company, browser, step) {
  const said = complaint(company);
  await company.say("web-shop", said.event);
  const { id } = await company.caseOf(`email:${said.name}@example.fi`.toLowerCase());
  const venla = await browser.person("venla", { language: "en", script: false });
  const atDelivery = await (await new Inbox(venla).open("delivery")).take(said.name);
  if (atDelivery.id !== id) throw new Error(`the row led to ${atDelivery.id}`);
  await atDelivery.press("acknowledge");
  await atDelivery.resolve("message", `Found: ${said.name}`);
  includes(await atDelivery.history(), venla.say("step-acknowledged"), `Found: ${said.name}`);
  step("a case is found, acknowledged and resolved without script");
}

module.exports = {
  mouse: (company, browser, step) => walk(company, browser, step, { language: "fi", keyboard: false }),
  keyboard: (company, browser, step) => walk(company, browser, step, { language: "sv", keyboard: true }),
  withoutScript,
};
