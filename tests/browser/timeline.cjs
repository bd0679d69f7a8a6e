// A customer's timeline: it grows while it is looked at, shows a part when asked, and leads to a case that says what helps.

const { Case, includes } = require("./desk.cjs");

async function timeline(company, browser, step) {
  const email = `${company.own("aika")}@example.fi`.toLowerCase();
  const words = [company.own("ensin"), company.own("sitten"), company.own("lopuksi")];
  const late = { type: "delivery.late", product: "sofa", stage: "delivery", identifiers: { email } };
  const order = { references: { order: company.own("T") } };
  await company.say("web-shop", { ...late, ...order, text: words[0], score: { metric: "nps", value: 2, min: 0, max: 10 } });
  const { id, customer } = await company.caseOf(`email:${email}`);
  const venla = await browser.person("venla", { language: "fi" });
  const { hand, page, say } = venla;
  await venla.goto(`/customers/${customer}`);
  includes(await page.locator("main").innerText(), say("customer-state"), say("customer-state-complaints"), "nps 2 / 10");
  const loads = venla.loads;
  const service = { kind: "service", type: "call.answered" };
  await company.say("web-shop", { ...late, ...order, ...service, text: words[1] });
  await page.locator(".entry", { hasText: words[1] }).waitFor();
  if (venla.loads !== loads) throw new Error("the timeline was loaded again");
  step("what happens shows on an open timeline");

  await hand.press(page.locator("details.filter > summary"));
  await hand.choose(page.getByLabel(say("customer-filter-kind"), { exact: true }), say("entry-kind-complaint"));
  await hand.press(page.getByRole("button", { name: say("customer-filter-do"), exact: true }));
  await page.waitForURL("**kind=complaint**");
  await page.locator(".entry", { hasText: words[1] }).waitFor({ state: "detached" });
  await company.say("web-shop", { ...late, ...order, text: words[2] });
  await page.locator(".entry", { hasText: words[2] }).waitFor();
  const kinds = await page.locator(".timeline > .entry").allInnerTexts();
  if (!kinds.every((text) => text.includes(say("entry-kind-complaint")))) throw new Error(`of complaints it shows ${kinds}`);
  await hand.press(page.getByRole("link", { name: say("customer-filter-clear"), exact: true }));
  await page.locator(".entry", { hasText: words[1] }).waitFor();
  step("a part of it is shown, and grows too");

  await new Case(venla).open(id);
  const guide = page.getByRole("region", { name: say("case-guide") });
  includes(await guide.innerText(), say("case-offer"), "kuljettajan viimeinen tieto", "Toimitusmaksun palautus");
  step("the case tells what helps at its stage, and what may be offered");
}

module.exports = { timeline };
