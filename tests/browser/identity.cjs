// Who is who: every decision a person can take about it, from the page where it is asked to what has become of the customers.

const { until } = require("./company.cjs");
const { includes } = require("./desk.cjs");

/** The pages about who is who, as a person finds their way on them. */
class Identity {
  constructor(person) {
    this.person = person;
    this.page = person.page;
  }

  /** Chooses two entries of a timeline, by some of their words, and asks why they are together. */
  async ask(customer, ...words) {
    const { hand, say } = this.person;
    await this.person.goto(`/customers/${customer}`);
    await hand.press(this.page.getByRole("link", { name: say("customer-why"), exact: true }));
    for (const text of words) {
      await hand.mark(this.page.locator(".entry", { hasText: text }).getByRole("checkbox"));
    }
    await hand.press(this.page.getByRole("button", { name: say("customer-why-do"), exact: true }).last());
    await this.page.waitForURL("**/explain*");
    return this.page.locator("main").innerText();
  }

  /** The one of what waits for a decision that has these words in it. */
  async item(kind, text) {
    const { hand, say } = this.person;
    await until(`${kind} of ${text} waits for a decision`, async () => {
      await this.person.goto(`/identity/review?what=${kind}`);
      for (;;) {
        if ((await this.card(text).count()) > 0) return true;
        const next = this.page.getByRole("link", { name: say("identity-next"), exact: true });
        if ((await next.count()) === 0) return false;
        const here = this.page.url();
        await hand.press(next);
        await this.page.waitForURL((url) => url.href !== here);
      }
    });
    return this.card(text);
  }

  card(text) {
    return this.page.locator("section.item", { hasText: text }).first();
  }

  async choose(card, key) {
    const { hand, say } = this.person;
    await hand.press(card.getByRole("link", { name: say(key).trim() }).first());
    await this.page.waitForURL("**/identity/decide*");
  }

  /** Says why, and confirms what the page shows; it must say what would happen. Answers the page of the decision. */
  async confirm(decision, why) {
    const { hand, say } = this.person;
    // What is written is shown as it was written.
    const reason = `${why} <b>&amp;</b>`;
    await this.page.getByRole("heading", { name: say("decide-trial"), exact: true }).waitFor();
    await hand.write(this.page.getByLabel(say("decide-reason"), { exact: true }), reason);
    await hand.press(this.page.getByRole("button", { name: say(`decide-do-${decision}`), exact: true }));
    await this.page.waitForURL("**/identity/decisions/d_*");
    await this.page.getByRole("alert").getByText(say(`decided-${decision}`), { exact: true }).waitFor();
    includes(await this.page.locator("main").innerText(), say(`decision-was-${decision}`), reason, this.person.name);
    return new URL(this.page.url()).pathname;
  }
}

/** Customers of nobody else's, and what their events say. */
class Cast {
  constructor(company) {
    this.company = company;
  }

  email(name) {
    return `${this.company.own(name)}@example.fi`.toLowerCase();
  }

  /** Something that opens no case, unless more is said of it. */
  async tell(source, identifiers, more = {}) {
    await this.company.say(source, { kind: "service", type: "customer.signed-in", identifiers, ...more });
  }

  /** The present id of whoever has an identifier. */
  async customer(identifier) {
    const found = await this.company.post("/v1/customers/search", this.company.key("auditor"), { identifier, reason: "test" });
    return found.customers[0]?.id;
  }

  /** Waits until two identifiers are of one customer, or of two. */
  async settles(one, other, together) {
    return until(`${one} and ${other} are ${together ? "one customer" : "two customers"}`, async () => {
      const [a, b] = [await this.customer(one), await this.customer(other)];
      return a !== undefined && b !== undefined && (a === b) === together && a;
    });
  }
}

async function identity(company, browser, step, how) {
  const cast = new Cast(company);
  const onni = await browser.person("onni", how);
  const kerttu = await browser.person("kerttu", how);
  await splitAndUndone(cast, onni, step);
  await merged(cast, kerttu, step);
  await conflict(cast, kerttu, step);
  await suggestion(cast, kerttu, step);
  await shared(cast, kerttu, step);
  await given(cast, kerttu, step);
  await recorded(kerttu, step);
}

/** Two people who used one telephone are separated, and joined again. */
async function splitAndUndone(cast, onni, step) {
  const { hand, page, say } = onni;
  const [aino, veikko, phone] = [cast.email("aino"), cast.email("veikko"), cast.company.phone()];
  const [first, second] = [cast.company.own("ensin"), cast.company.own("sitten")];
  const late = { kind: "complaint", type: "delivery.late", product: "sofa" };
  await cast.tell("web-shop", { email: aino, phone }, { ...late, text: first });
  await cast.tell("web-shop", { email: veikko, phone }, { ...late, text: second });
  const customer = await cast.settles(`email:${aino}`, `email:${veikko}`, true);
  const desk = new Identity(onni);
  const why = await desk.ask(customer, first, second);
  includes(why, say("explain-title-together"), phone.slice(1, 4), say("explain-set"));
  await hand.press(page.getByRole("link", { name: say("explain-wrong"), exact: true }));
  await page.waitForURL("**/split*");
  // What the one event names and the other does not is proposed.
  const ticked = await page.locator("label.choice:has(:checked)").allInnerTexts();
  if (ticked.length !== 1 || !/aino|veikko/.test(ticked[0])) throw new Error(`proposed to leave are ${ticked}`);
  await hand.press(page.getByRole("button", { name: say("split-look"), exact: true }));
  includes(await page.locator("main").innerText(), say("decide-trial-after"), veikko, aino);
  const decision = await desk.confirm("apart", cast.company.own("eri ihmisiä"));
  await cast.settles(`email:${aino}`, `email:${veikko}`, false);
  step("two people on one page are separated, after seeing why they were together and what would move");

  await onni.goto(decision);
  await hand.press(page.getByRole("link", { name: say("decision-do-undo"), exact: true }));
  await page.waitForURL("**/identity/decide*");
  await desk.confirm("undo", cast.company.own("olikin sama"));
  const again = await cast.settles(`email:${aino}`, `email:${veikko}`, true);
  if (again !== customer) throw new Error(`after the undoing the customer is ${again}, not ${customer}`);
  await onni.goto(decision);
  await page.getByText(say("decision-undone"), { exact: true }).waitFor();
  step("the decision is undone, and the customer is the same as before");
}

/** Two pages of one person are joined, although each has a number of its own; the old address leads to the joined page. */
async function merged(cast, kerttu, step) {
  const { hand, page, say } = kerttu;
  const [home, work] = [cast.email("koti"), cast.email("tyo")];
  await cast.tell("web-shop", { email: home, customer_number: cast.company.own("1") });
  await cast.tell("web-shop", { email: work, customer_number: cast.company.own("2") });
  await cast.settles(`email:${home}`, `email:${work}`, false);
  const ids = [await cast.customer(`email:${home}`), await cast.customer(`email:${work}`)];
  await kerttu.goto(`/customers/${ids[0]}`);
  await hand.press(page.getByRole("link", { name: say("customer-merge"), exact: true }));
  await page.waitForURL("**/customers/merge*");
  await hand.write(page.getByLabel(say("merge-find"), { exact: true }), work);
  await hand.press(page.locator("main").getByRole("button", { name: say("search-do"), exact: true }));
  await hand.press(page.getByRole("link", { name: say("merge-choose"), exact: true }));
  includes(await page.locator("main").innerText(), say("decide-warn-exclusive"), home, work);
  await new Identity(kerttu).confirm("together", cast.company.own("sama ihminen"));
  const joined = await cast.settles(`email:${home}`, `email:${work}`, true);
  const old = ids.find((id) => id !== joined);
  await kerttu.goto(`/customers/${old}`);
  if (!page.url().includes(joined)) throw new Error(`the old address led to ${page.url()}`);
  await page.getByRole("status").getByText(say("customer-moved"), { exact: true }).waitFor();
  step("two pages of one person are joined, and the old address says where it leads");
}

/** What the rules refused: two numbers of which everybody has one. */
async function conflict(cast, kerttu, step) {
  const [one, other, phone] = [cast.email("yksi"), cast.email("toinen"), cast.company.phone()];
  await cast.tell("web-shop", { email: one, customer_number: cast.company.own("3") });
  await cast.tell("web-shop", { email: other, phone, customer_number: cast.company.own("4") });
  await cast.settles(`email:${one}`, `email:${other}`, false);
  await cast.tell("web-shop", { email: one, phone });
  const desk = new Identity(kerttu);
  const card = await desk.item("conflict", one);
  includes(await card.innerText(), kerttu.say("review-asks-conflict"));
  await desk.choose(card, "review-do-apart");
  await desk.confirm("apart", cast.company.own("eri ihmisiä"));
  await cast.settles(`email:${one}`, `email:${other}`, false);
  await gone(desk, "conflict", one);
  step("a conflict is decided: they are two");
}

/** What a source that is not trusted says of two known customers. */
async function suggestion(cast, kerttu, step) {
  const [one, other, phone] = [cast.email("kortti"), cast.email("toinen"), cast.company.phone()];
  const card = () => String(Math.floor(Math.random() * 1e12)).padStart(12, "1");
  await cast.tell("web-shop", { email: one, loyalty_card: card() });
  await cast.tell("web-shop", { email: other, phone, loyalty_card: card() });
  await cast.settles(`email:${one}`, `email:${other}`, false);
  await cast.tell("canary", { email: one, phone });
  const desk = new Identity(kerttu);
  const found = await desk.item("suggestion", one);
  includes(await found.innerText(), kerttu.say("review-asks-suggestion"), kerttu.say("identity-source-untrusted"));
  await desk.choose(found, "review-do-together");
  await desk.confirm("together", cast.company.own("sama ihminen"));
  await cast.settles(`email:${one}`, `email:${other}`, true);
  await gone(desk, "suggestion", one);
  step("a suggestion is decided: they are one");
}

/** A telephone that more people use than one person can: one of a household, and one of somebody with many addresses. */
async function shared(cast, kerttu, step) {
  const desk = new Identity(kerttu);
  for (const decision of ["block", "allow"]) {
    const phone = cast.company.phone();
    const emails = Array.from({ length: 6 }, (_, number) => cast.email(`${decision}${number}`));
    for (const email of emails) await cast.tell("web-shop", { email, phone });
    await cast.settles(`email:${emails[0]}`, `email:${emails[5]}`, false);
    const card = await desk.item("shared", `+358${phone.slice(1)}`);
    includes(await card.innerText(), kerttu.say("review-asks-shared"));
    await desk.choose(card, `review-do-${decision}`);
    await desk.confirm(decision, cast.company.own("yhteinen puhelin"));
    await cast.settles(`email:${emails[0]}`, `email:${emails[5]}`, decision === "allow");
    await gone(desk, "shared", `+358${phone.slice(1)}`);
  }
  step("a value that many share is taken out of use, another is allowed");
}

/** A parcel that was named with the orders of two people: whose is it? */
async function given(cast, kerttu, step) {
  const [one, other] = [cast.email("tilaaja"), cast.email("saaja")];
  const orders = [cast.company.own("O"), cast.company.own("O")];
  const shipment = cast.company.own("S");
  await cast.tell("web-shop", { email: one }, { references: { order: orders[0] } });
  await cast.tell("web-shop", { email: other }, { references: { order: orders[1] } });
  await cast.settles(`order:${orders[0]}`, `order:${orders[1]}`, false);
  await cast.tell("web-shop", {}, { type: "shipment.delayed", references: { order: orders, shipment } });
  const desk = new Identity(kerttu);
  const card = await desk.item("unowned", shipment.toUpperCase());
  includes(await card.innerText(), kerttu.say("review-asks-unowned"));
  await desk.choose(card, "review-do-give");
  await desk.confirm("together", cast.company.own("hänen pakettinsa"));
  await until("the parcel is somebody's", async () => {
    const owner = await cast.customer(`shipment:${shipment}`);
    return [await cast.customer(`email:${one}`), await cast.customer(`email:${other}`)].includes(owner);
  });
  step("a parcel that belonged to nobody is given to somebody");
}

/** What was decided waits no longer. */
async function gone(desk, kind, text) {
  await until(`${text} waits no longer`, async () => {
    await desk.person.goto(`/identity/review?what=${kind}`);
    return (await desk.card(text).count()) === 0;
  });
}

/** The record has it all, and who may not decide does not see it. */
async function recorded(kerttu, step) {
  const { page, say } = kerttu;
  await kerttu.goto("/identity/decisions");
  const rows = await page.locator("li.row").allInnerTexts();
  const was = ["apart", "together", "block", "allow", "undo"].map((kind) => say(`decision-was-${kind}`));
  includes(rows.join("\n"), ...was, say("decision-holds"), say("decision-undone"), "kerttu", "onni");
  step("the record of decisions tells what, who, why, and what still holds");
}

module.exports = {
  mouse: (company, browser, step) => identity(company, browser, step, { language: "fi", keyboard: false }),
  keyboard: (company, browser, step) => identity(company, browser, step, { language: "sv", keyboard: true }),
  withoutScript: (company, browser, step) => identity(company, browser, step, { language: "en", script: false }),
};
