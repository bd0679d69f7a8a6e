// The README's pictures: the desk of the simulated company, as it is after a while. `node pictures.cjs FOLDER`, over a Polku as
// `run.cjs` asks for it.

const path = require("node:path");
const { Browser } = require("./browser.cjs");
const { Company } = require("./company.cjs");

/** Somebody of a department that has something to do. */
const WHO = "venla";
const DEPARTMENT = "delivery";

/** How many cases are looked through for one that has much to show. */
const CASES_MAX = 60;

async function main(folder) {
  const company = new Company(process.env.POLKU_URL, process.env.POLKU_KEYS);
  const browser = await Browser.start(company);
  const { id, customer } = await richest(company);
  const person = await browser.person(WHO, { language: "en" });
  for (const [name, address, from] of [
    ["inbox", `/inbox/${DEPARTMENT}`, "header"],
    ["case", `/cases/${id}`, "header"],
    ["timeline", `/customers/${customer}`, "#timeline"],
    ["path", `/path/${DEPARTMENT}`, "header"],
    ["hand-offs", "/hand-offs", "header"],
  ]) {
    await person.goto(address);
    await person.page.locator(from).evaluate((element) => scrollTo(0, element.getBoundingClientRect().top - 16));
    await person.page.screenshot({ path: path.join(folder, `${name}.png`) });
    console.log(`took ${name} at ${address}`);
  }
  await browser.close();
  if (person.faults.length > 0) throw new Error(person.faults.join("\n"));
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
