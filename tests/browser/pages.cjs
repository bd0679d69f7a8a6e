// Every page there is, in every language: axe finds nothing in either theme, nothing is wider than a narrow telephone, and every
// word of it is one of the language.

const fs = require("node:fs");
const axe = require("./axe.cjs");
const { FORM, until } = require("./company.cjs");
const { Case } = require("./desk.cjs");
const words = require("./words.cjs");

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

/** Name, who looks, and how they get there. `seeds` is what there is to be seen. */
const PAGES = [
  ["front", null, (at) => at.goto("/")],
  ["sign-in", null, (at) => at.goto("/sign-in")],
  ["sign-in refused", null, signInWith("nobody's key")],
  ["preferences", null, (at) => at.goto("/sign-in").then(() => at.page.locator(".self summary").click())],
  ["inbox", "kerttu", (at) => at.goto("/inbox/delivery")],
  ["inbox of a unit", "kerttu", (at) => at.goto("/inbox/stores?unit=kamppi")],
  ["inbox, resolved", "kerttu", (at) => at.goto("/inbox/delivery?show=resolved")],
  ["inbox, thanks", "kerttu", (at) => at.goto("/inbox/delivery?show=praise")],
  ["inbox, empty", "kerttu", (at) => at.goto("/inbox/finance?show=dormant")],
  ["case, open", "kerttu", (at, seeds) => at.goto(`/cases/${seeds.open}`)],
  ["case, offered and waiting", "kerttu", (at, seeds) => at.goto(`/cases/${seeds.offered}`)],
  ["case, resolved", "kerttu", (at, seeds) => at.goto(`/cases/${seeds.resolved}?done=resolve`)],
  ["case, refused", "kerttu", refused],
  ["customer", "kerttu", (at, seeds) => at.goto(`/customers/${seeds.customer}`)],
  ["customer, a part", "kerttu", (at, seeds) => at.goto(`/customers/${seeds.customer}?kind=complaint&party=courier&from=2026-01-01`)],
  ["customer, two to choose", "kerttu", (at, seeds) => at.goto(`/customers/${seeds.customer}?why=1`)],
  ["customer, by an old id", "kerttu", (at, seeds) => at.goto(`/customers/${seeds.home.phone}`)],
  ["why together", "kerttu", (at, seeds) => at.goto(`/customers/${seeds.home.customer}/explain?a=${seeds.home.a}&b=${seeds.home.b}`)],
  ["why apart", "kerttu", (at, seeds) => at.goto(`/identity/explain?a=${seeds.rival.a}&b=${seeds.rival.b}`)],
  ["split", "kerttu", (at, seeds) => at.goto(`/customers/${seeds.home.customer}/split`)],
  ["split, looked at", "kerttu", (at, seeds) => at.goto(`/customers/${seeds.home.customer}/split?leave=${seeds.home.phone}`)],
  ["merge", "kerttu", (at, seeds) => at.goto(`/customers/merge?customers=${seeds.rival.one}`)],
  ["merge, found", "kerttu", findOther],
  ["merge, looked at", "kerttu", (at, seeds) => at.goto(`/customers/merge?customers=${seeds.rival.one}&customers=${seeds.rival.other}`)],
  ["merge, in vain", "kerttu", (at, seeds) => at.goto(`/customers/merge?customers=${seeds.split.one}&customers=${seeds.split.other}`)],
  ["what waits for a decision", "kerttu", (at) => at.goto("/identity/review")],
  ["what waits for the lead of others", "helmi", (at) => at.goto("/identity/review")],
  ["a decision proposed", "kerttu", (at, seeds) => at.goto(`/identity/decide?decision=block&one=${seeds.home.phone}`)],
  ["a decision without a reason", "kerttu", unreasoned],
  ["decisions", "kerttu", (at) => at.goto("/identity/decisions")],
  ["a decision", "kerttu", (at, seeds) => at.goto(`/identity/decisions/${seeds.split.decision}?done=apart`)],
  ["who is who, forbidden", "aino", (at) => at.goto("/identity/review")],
  ["customer of others", "helmi", (at, seeds) => at.goto(`/customers/${seeds.customer}`)],
  ["search", "kerttu", (at) => at.goto("/search")],
  ["search, found", "kerttu", (at, seeds) => searchFor(at, seeds.email)],
  ["search, masked", "helmi", (at, seeds) => searchFor(at, seeds.email)],
  ["search, nobody", "kerttu", (at) => searchFor(at, "nobody@example.fi")],
  ["record", "kerttu", (at) => at.goto("/record")],
  ["record about a customer", "kerttu", (at, seeds) => at.goto(`/record?customer=${seeds.customer}`)],
  ["record about a case", "kerttu", (at, seeds) => at.goto(`/record?case=${seeds.open}`)],
  ["record, refused", "kerttu", unsaid],
  ["recorded", "kerttu", recorded],
  ["path", "kerttu", (at) => at.goto("/path/delivery")],
  ["path of units", "kerttu", (at) => at.goto("/path/stores")],
  ["hand-offs", "kerttu", (at) => at.goto("/hand-offs")],
  ["hand-offs, listed", "kerttu", (at) => at.goto("/hand-offs/delivery/finance")],
  ["no such page", "kerttu", (at) => at.goto("/inbox/nowhere")],
  ["not one's own", "lempi", (at) => at.goto("/inbox/delivery")],
  ["feedback", null, (at) => at.goto(`/feedback/${FORM}?lang=${at.language}`)],
  ["feedback, refused", null, empty],
  ["feedback, thanks", null, (at) => at.goto(`/feedback/${FORM}/thanks?lang=${at.language}`)],
  ["feedback, gone", null, (at) => at.goto(`/feedback/nobodys?lang=${at.language}`)],
];

async function pages(company, browser, step) {
  const seeds = await seed(company);
  step("there is something to be seen");
  const seen = new Set();
  const faults = await Promise.all(words.LANGUAGES.map((language) => read(browser, language, seeds, seen)));
  const unseen = routes().filter((route) => ![...seen].some((address) => route.test(address)));
  const all = [...faults.flat(), ...unseen.map((route) => `no page was seen at ${route}`)];
  if (all.length > 0) throw new Error(`\n${all.join("\n")}`);
  step(`${PAGES.length} pages in ${words.LANGUAGES.length} languages, light and dark, wide and narrow, are as they should be`);
}

/** Where the desk has pages, as it says itself: a new one is looked at too. */
function routes() {
  const desk = fs.readFileSync(`${__dirname}/../../crates/serve/src/desk/mod.rs`, "utf8");
  const pages = [...desk.matchAll(/\.route\(\s*"(.+?)",\s*get\(/g)].map(([, route]) => route);
  const looked = pages.filter((route) => !route.startsWith("/static/") && !route.endsWith("/live"));
  return looked.map((route) => new RegExp(`^${route.replace(/\{\w+\}/g, "[^/]+")}$`));
}

/** All pages in one language, one after the other. */
async function read(browser, language, seeds, seen) {
  const readers = new Map();
  const faults = [];
  for (const [name, who, visit] of PAGES) {
    if (!readers.has(who)) {
      readers.set(who, await browser.person(who, { language }));
      await axe.prepare(readers.get(who).context);
    }
    const reader = readers.get(who);
    const found = await visit(reader, seeds)
      .then(() => look(reader))
      .catch((error) => [`cannot be looked at: ${error.stack}`]);
    seen.add(new URL(reader.page.url()).pathname);
    faults.push(...found.map((fault) => `${name} in ${language}: ${fault}`));
  }
  return faults;
}

async function look(reader) {
  const { page, language } = reader;
  await unfold(page);
  const wide = await axe.faults(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize(NARROW);
  const narrow = await axe.faults(page);
  const over = await page.evaluate(tooWide);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(WIDE);
  const raw = await page.evaluate(unspoken, { language, keys: KEYS });
  return [...wide, ...narrow.map((fault) => `dark and narrow: ${fault}`), ...over, ...raw];
}

function signInWith(key) {
  return async (at) => {
    await at.goto("/sign-in");
    await at.page.locator("#key").fill(key);
    await at.page.locator("#key").press("Enter");
    await at.page.getByRole("alert").waitFor();
  };
}

async function refused(at, seeds) {
  const form = (await new Case(at).open(seeds.open)).form("resolve");
  await form.locator("summary").click();
  await form.getByRole("button").click();
  await at.page.getByRole("alert").waitFor();
}

async function searchFor(at, identifier) {
  await at.goto("/search");
  await at.page.locator("#identifier").fill(identifier);
  await at.page.locator("#reason").fill("Asiakas soittaa");
  await at.page.locator("#reason").press("Enter");
  await at.page.locator("#found").waitFor();
}

async function findOther(at, seeds) {
  await at.goto(`/customers/merge?customers=${seeds.rival.one}`);
  await at.page.locator("#identifier").fill(seeds.rival.email);
  await at.page.locator("#identifier").press("Enter");
  await at.page.locator("main form ul").waitFor();
}

async function unreasoned(at, seeds) {
  await at.goto(`/identity/decide?decision=block&one=${seeds.home.phone}`);
  await at.page.locator("#reason").evaluate((field) => field.removeAttribute("required"));
  await at.page.locator("main form button.strong").click();
  await at.page.locator("#reason-fault").waitFor();
}

async function unsaid(at) {
  await at.goto("/record");
  await at.page.locator("#record button.strong").click();
  await at.page.getByRole("alert").waitFor();
}

async function empty(at) {
  await at.goto(`/feedback/${FORM}?lang=${at.language}`);
  await at.page.getByRole("button").click();
  await at.page.getByRole("alert").waitFor();
}

async function recorded(at) {
  await at.goto("/record");
  await at.page.locator("#text").fill("Kysyi aukioloaikoja.");
  await at.page.locator("#text").press("Control+Enter");
  await at.page.getByRole("status").waitFor();
}

/** Something of everything: what every page shows when there is much to show. */
async function seed(company) {
  const email = `${company.own("sivut")}@example.fi`;
  const identifiers = { email, phone: company.phone(), customer_number: company.own("1") };
  const customer = { name: "Aino Korhonen", identifiers, party: "courier" };
  const about = (reference, event) => ({ ...customer, references: { order: company.own(reference) }, ...event });
  const promise = { id: "p", what: "refund", text: "Rahat takaisin", due: soon(), state: "made", by: "delivery" };
  const late = { type: "delivery.late", product: "sofa", stage: "delivery", touchpoint: "pickup-point", text: "Missä pakettini?" };
  await company.say(
    "web-shop",
    about("F", { ...late, place: "store:kamppi", score: { metric: "nps", value: 2, min: 0, max: 10 } }),
    about("F", { kind: "service", type: "order.placed", amount: { value: "129.90", currency: "EUR", of: "purchase" } }),
    about("F", { kind: "feedback", type: "praise.delivery", stage: "delivery", text: "Kiitos kuljettajalle!" }),
    about("F", { kind: "service", type: "promise.made", promise }),
    { type: "queue.long", place: "store:kamppi", stage: "purchase", text: "Pitkä jono", ...customer, references: {} },
  );
  const first = await company.caseOf(`email:${email}`, (known) => known.owner === "delivery");
  const others = ["open", "offered", "resolved"].map((name) => ({ name, email: `${name}-${email}` }));
  const lost = { ...late, type: "delivery.lost", name: "Veikko" };
  const complaints = others.map(({ email }) => about("G", { ...lost, identifiers: { email } }));
  await company.say("web-shop", ...complaints);
  const seeds = { email, customer: first.customer };
  for (const { name, email } of others) seeds[name] = (await company.caseOf(`email:${email}`)).id;
  await company.act("venla", seeds.open, { command: "acknowledge" }, { command: "note", reason: "Kysytty kuljettajalta." });
  await company.act(
    "venla",
    seeds.offered,
    { command: "wait", on: "courier", until: soon() },
    { command: "hand_off", to: "finance", reason: "Rahat takaisin" },
  );
  const told = { command: "resolve", told: "phone", reason: "Hyvitetty" };
  await company.act("venla", seeds.resolved, { command: "claim" }, { command: "contact", how: "phone", reached: false }, told);
  await company.act("venla", first.id, { command: "hand_off", to: "finance", reason: "Rahat" });
  await company.act("lempi", first.id, { command: "decline", reason: "Ei meille" });
  return { ...seeds, ...(await strangers(company)) };
}

/** Two who used one telephone, two who are named together and must not be, and two who were separated. */
async function strangers(company) {
  const [aino, veikko, one, other, left, right] = ["a", "b", "c", "d", "e", "f"].map((name) => `${company.own(`kuka-${name}`)}@example.fi`);
  const [shared, second, third] = [company.phone(), company.phone(), company.phone()];
  const late = { type: "delivery.late", product: "sofa", text: "Missä pakettini?" };
  await company.say(
    "web-shop",
    { ...late, name: "Aino Korhonen", identifiers: { email: aino, phone: shared } },
    { ...late, name: "Veikko Korhonen", identifiers: { email: veikko, phone: shared } },
    { ...late, identifiers: { email: one, customer_number: company.own("5") } },
    { ...late, identifiers: { email: other, phone: second, customer_number: company.own("6") } },
    { ...late, identifiers: { email: left, phone: third } },
    { ...late, identifiers: { email: right, phone: third } },
  );
  await company.say("web-shop", { ...late, identifiers: { email: one, phone: second } });
  const home = await pair(company, aino, veikko, true);
  const rival = await pair(company, one, other, false);
  const rightful = await pair(company, left, right, true);
  const reason = "Kaksi eri ihmistä";
  const leave = [rightful.values.find((value) => value.shown === right).id];
  const decided = await company.post(`/v1/customers/${rightful.one}/split`, company.key("auditor"), { leave, reason });
  const split = await pair(company, left, right, false);
  const phone = home.values.find((value) => value.type === "phone").id;
  return { home: { ...home, customer: home.one, phone }, rival: { ...rival, email: other }, split: { ...split, decision: decided.id } };
}

/** The customers of two addresses, one or two, an event of each, and all values: of one customer, both addresses and what joined them. */
async function pair(company, one, other, together) {
  const key = company.key("auditor");
  const look = async (email) => {
    const { customers } = await company.post("/v1/customers/search", key, { identifier: `email:${email}`, reason: "test" });
    return customers[0];
  };
  return until(`${one} and ${other} are ${together ? "one" : "two"}`, async () => {
    const [a, b] = [await look(one), await look(other)];
    if (!a || !b || (a.id === b.id) !== together) return undefined;
    const has = (shown) => a.identifiers.some((value) => value.shown === shown);
    if (together && !(has(one) && has(other) && a.identifiers.some(({ type }) => type === "phone"))) return undefined;
    const events = async (id) => (await company.get(`/v1/customers/${id}/timeline`, key)).entries.filter((entry) => entry.event);
    const [first, last] = [await events(a.id), await events(b.id)];
    return { one: a.id, other: b.id, a: first.at(0)?.event, b: last.at(-1)?.event, values: a.identifiers };
  });
}

function soon() {
  return new Date(Date.now() + 20 * 3_600_000).toISOString();
}

/** What is folded is a part of the page; of several that exclude each other too. */
async function unfold(page) {
  await page.evaluate(() => {
    for (const part of document.querySelectorAll("main details")) {
      part.removeAttribute("name");
      part.open = true;
    }
  });
}

/** Runs in the page: what scrolls sideways. Only a table of figures may, within itself. */
function tooWide() {
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth;
  const isTable = (element) => element.matches('[role="region"][tabindex="0"]') && element.querySelector("table") !== null;
  const strips = [...document.querySelectorAll("body *")].filter((element) => scrolls(element) && !isTable(element));
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return strips.map((element) => `scrolls sideways: ${element.outerHTML.slice(0, 120)}`);
  const isOutside = (element) => element.getBoundingClientRect().right > innerWidth + 1;
  const outside = [...document.querySelectorAll("body *")].find(isOutside);
  return [`${over} pixels too wide, as is ${outside?.outerHTML.slice(0, 120)}`];
}

/** Runs in the page: what is not said in the language. */
function unspoken({ language, keys }) {
  const faults = document.documentElement.lang === language ? [] : [`is said to be in ${document.documentElement.lang}`];
  const shown = new Set(document.body.innerText.match(/[a-z]+(-[a-z0-9]+)+/g));
  return faults.concat(keys.filter((key) => shown.has(key)).map((key) => `shows the key ${key}`));
}

/** The keys of all messages that have a hyphen in them, as words have not. */
const KEYS = ["serve", "ingest-web"].flatMap((crate) => {
  const text = fs.readFileSync(`${__dirname}/../../crates/${crate}/i18n/en.ftl`, "utf8");
  return [...text.matchAll(/^([a-z]+(?:-[a-z0-9]+)+) =/gm)].map(([, key]) => key);
});

module.exports = { pages };
