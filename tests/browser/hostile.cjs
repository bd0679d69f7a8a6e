// Text that means harm: shown as the text that it is, wherever it can get to.

const { FORM, until } = require("./company.cjs");
const { Case, Inbox, Record, includes } = require("./desk.cjs");

const MARKUP = `<img src=x onerror="window.harmed=1"><script>window.harmed=1</script></q></bdi></blockquote><b>"'&amp;`;
/** Turns what follows around, if it is let out: U+202E, and an isolate that never ends. */
const TURNED = "\u202Eattah\u2067";
const EMOJI = "\u{1F600}".repeat(10_000);

async function hostile(company, browser, step) {
  const name = company.own("Paha");
  const order = company.own("D");
  const email = `${name}@example.fi`.toLowerCase();
  const words = `${MARKUP} ${TURNED} ${name}`;
  const late = { type: "delivery.late", product: "sofa" };
  const event = { ...late, name: `${name} ${MARKUP}${TURNED}`, text: words, identifiers: { email } };
  await company.say(
    "web-shop",
    { ...event, references: { order: `${order}<b>` }, attributes: { note: MARKUP } },
    { ...event, text: `${EMOJI} ${name}`, references: { order: `${order}<b>` } },
    { ...event, kind: "feedback", type: "praise.delivery", stage: "delivery", text: `${MARKUP} kiitos ${name}` },
    {
      ...event,
      kind: "service",
      type: "promise.made",
      promise: { id: order, what: "refund", text: `${MARKUP} lupaus ${name}`, state: "made", by: "delivery" },
    },
  );
  const { id, customer } = await company.caseOf(`email:${email}`);
  await company.act(
    "venla",
    id,
    { command: "note", reason: words },
    { command: "hand_off", to: "finance", reason: words },
  );

  const venla = await browser.person("venla");
  const { page, say } = venla;
  const inbox = await new Inbox(venla).open("delivery");
  await inbox.sees(name);
  await unharmed(page, "the inbox");
  await isolated(page, inbox.row(name).getByRole("link"), name);

  const atCase = await new Case(venla).open(id);
  const said = await atCase.words();
  const begins = (shown) => EMOJI.startsWith(shown.replace("…", "")) && shown.length > 1_000;
  if (!said.includes(words) || !said.some(begins)) throw new Error(`the case shows ${said.map((one) => one.slice(0, 80))}`);
  const reasons = await page.locator(".history blockquote").allTextContents();
  if (!reasons.every((reason) => reason === words) || reasons.length !== 2) throw new Error(`the history shows ${reasons}`);
  await isolated(page, page.locator(".history blockquote").first(), name);
  await unharmed(page, "the case");
  step("the inbox and the case show it as text");

  await venla.goto(`/customers/${customer}`);
  const timeline = await page.locator("ol.timeline blockquote").allTextContents();
  for (const expected of [words, `${EMOJI} ${name}`, `${MARKUP} kiitos ${name}`]) {
    if (!timeline.includes(expected)) throw new Error(`the timeline does not show ${expected.slice(0, 80)} as it is`);
  }
  includes(await page.locator("ol.timeline").textContent(), `${MARKUP} lupaus ${name}`);
  await unharmed(page, "the timeline");
  await venla.goto(`/record?customer=${customer}`);
  includes(await page.locator("#record").textContent(), MARKUP.slice(0, 20));
  await unharmed(page, "the form about the customer");
  await venla.goto("/path/delivery");
  await unharmed(page, "the path");
  await venla.goto("/search");
  await page.getByLabel(say("search-identifier"), { exact: true }).fill(words);
  await page.getByLabel(say("search-reason"), { exact: true }).fill(words);
  await page.getByRole("button", { name: say("search-do"), exact: true }).click();
  const typed = await page.getByLabel(say("search-reason"), { exact: true }).inputValue();
  if (typed !== words) throw new Error(`the search gave back ${typed}`);
  await unharmed(page, "the search");
  step("the timeline, the path, the search and the form about the customer do too");

  await recorded(company, venla, words);
  await given(company, browser, venla);
  step("what people type themselves is text as well, at the desk and in the feedback form");
}

/** A form that is refused gives back what was typed; one that is saved shows it on the case. */
async function recorded(company, venla, words) {
  const { page } = venla;
  const record = await new Record(venla).open();
  await record.field("who").fill(MARKUP);
  await record.field("text").fill(words);
  await page.getByRole("button", { name: venla.say("record-save"), exact: true }).click();
  await page.getByRole("alert").waitFor();
  const back = [await record.field("who").inputValue(), await record.field("text").inputValue()];
  if (back[0] !== MARKUP || back[1] !== words) throw new Error(`the form gave back ${back}`);
  await unharmed(page, "the form that was refused");
  await venla.goto(`/${encodeURIComponent(MARKUP)}`);
  await unharmed(page, "the page that there is not");
}

/** From the feedback form to the timeline. */
async function given(company, browser, venla) {
  const visitor = await browser.person(null, { language: "en" });
  const email = `${company.own("form")}@example.fi`;
  const link = new URLSearchParams({ place: MARKUP, order: MARKUP, score: MARKUP, lang: MARKUP });
  await visitor.goto(`/feedback/${FORM}?${link}`);
  await visitor.page.locator("#email").fill("nobody");
  await visitor.page.locator("#text").fill(MARKUP + TURNED);
  await visitor.page.getByRole("button").click();
  await visitor.page.getByRole("alert").waitFor();
  const back = await visitor.page.locator("#text").inputValue();
  if (back !== MARKUP + TURNED) throw new Error(`the feedback form gave back ${back}`);
  await unharmed(visitor.page, "the feedback form");
  await visitor.page.locator("#score-0").check();
  await visitor.page.locator("#email").fill(email);
  await visitor.page.getByRole("button").click();
  await visitor.page.waitForLoadState();
  const { customer } = await company.caseOf(`email:${email}`);
  const kerttu = await browser.person("kerttu");
  await kerttu.goto(`/customers/${customer}`);
  const words = await kerttu.page.locator("ol.timeline blockquote").first().textContent();
  if (words !== MARKUP + TURNED) throw new Error(`the timeline shows ${words}`);
  await unharmed(kerttu.page, "the timeline of who wrote it");
}

/** Nothing of it became an element, an attribute or a script that ran. */
async function unharmed(page, where) {
  const harm = await page.evaluate(() => {
    const elements = [...document.querySelectorAll("main img, main script, main b, [onerror]")];
    return [...elements.map((element) => element.outerHTML), ...(window.harmed ? ["a script ran"] : [])];
  });
  if (harm.length > 0) throw new Error(`harm on ${where}: ${harm.join(", ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) throw new Error(`${where} is ${wide} pixels too wide`);
}

/** The element that holds the words lets no direction out. */
async function isolated(page, around, words) {
  const look = (root, words) => {
    // An open list was shown anew between finding the element and looking at it.
    if (!root.isConnected) return undefined;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const holders = [];
    while (walker.nextNode()) if (walker.currentNode.data.includes(words)) holders.push(walker.currentNode.parentElement);
    const isolates = (element) => ["isolate", "isolate-override", "plaintext"].includes(getComputedStyle(element).unicodeBidi);
    const isHeld = (element) => element !== null && (isolates(element) || (element !== root && isHeld(element.parentElement)));
    const loose = holders.filter((element) => !isHeld(element)).map((element) => element.outerHTML.slice(0, 200));
    return { loose: holders.length > 0 ? loose : ["no such words"] };
  };
  const { loose } = await until(`${words} is looked at`, () => around.evaluate(look, words));
  if (loose.length > 0) throw new Error(`a direction is let out of ${loose}`);
}

module.exports = { hostile };
