// The README's pictures: the desk of the simulated company, as it is after a while. `node pictures.cjs FOLDER`, over a Polku as
// `run.cjs` asks for it.

const path = require("node:path");
const { Browser } = require("./browser.cjs");
const { Company } = require("./company.cjs");

/** Somebody of a department that has something to do. */
const WHO = "venla";
const DEPARTMENT = "delivery";

/** Somebody who may decide who is who, of all customers. */
const DECIDER = "kerttu";

/** How many cases are looked through for one that has much to show. */
const CASES_MAX = 60;

async function main(folder) {
  const company = new Company(process.env.POLKU_URL, process.env.POLKU_KEYS);
  const browser = await Browser.start(company);
  const { id, customer } = await richest(company);
  const [one, other] = await farApart(company, customer);
  const faults = [];
  for (const [who, pages] of [
    [
      WHO,
      [
        ["inbox", `/inbox/${DEPARTMENT}`, "header"],
        ["case", `/cases/${id}`, "header"],
        ["timeline", `/customers/${customer}`, "#timeline"],
        ["path", `/path/${DEPARTMENT}`, "header"],
        ["hand-offs", "/hand-offs", "header"],
      ],
    ],
    [
      DECIDER,
      [
        ["review", "/identity/review", "header"],
        ["explanation", `/customers/${customer}/explain?a=${one}&b=${other}`, "header"],
        ["split", `/customers/${customer}/split`, "header", tried],
      ],
    ],
  ]) {
    const person = await browser.person(who, { language: "en" });
    for (const [name, address, from, first] of pages) {
      await person.goto(address);
      if (first) await first(person);
      await person.page.locator(from).evaluate((element) => scrollTo(0, element.getBoundingClientRect().top - 16));
      await person.page.screenshot({ path: path.join(folder, `${name}.png`) });
      console.log(`took ${name} at ${address}`);
    }
    faults.push(...person.faults);
  }
  await browser.close();
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

/** Says that the customer's telephone is somebody else's, and looks what would move. */
async function tried({ page, say }) {
  await page.locator("label.choice", { hasText: say("value-phone") }).getByRole("checkbox").check();
  await page.getByRole("button", { name: say("split-look"), exact: true }).click();
  await page.getByRole("heading", { name: say("decide-trial"), exact: true }).waitFor();
}

/** Two events of a customer that are together by the longest way: what they name has least in common. */
async function farApart(company, customer) {
  const key = company.key("auditor");
  const { entries } = await company.get(`/v1/customers/${customer}/timeline?limit=100`, key);
  const events = entries.filter((entry) => entry.event);
  const first = events.find(({ source }) => source === "phone") ?? events[0];
  let best;
  for (const { event } of events.filter(({ event }) => event !== first.event)) {
    const why = await company.get(`/v1/customers/${customer}/explain?a=${first.event}&b=${event}`, key);
    const length = why.chain?.length ?? 0;
    if (best === undefined || length > best.length) best = { event, length };
  }
  return [first.event, best.event];
}

/** The case of the department in which most different things happened, and whose customer met us in most ways. */
async function richest(company) {
  const key = company.key(WHO);
  const { cases } = await company.get(`/v1/departments/${DEPARTMENT}/cases`, key);
  const known = await Promise.all(cases.slice(0, CASES_MAX).map(({ id }) => company.get(`/v1/cases/${id}`, key)));
  const worth = ({ history, channels, hand_offs: handOffs }) =>
    new Set(history.map((step) => step.what)).size + 2 * channels.length + 4 * handOffs;
  const best = known.filter(({ customers }) => customers.length === 1).sort((one, other) => worth(other) - worth(one))[0];
  return { id: best.id, customer: best.customers[0] };
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
