// The browser tests: `node run.cjs [part…]` over a Polku that runs. Prints what was seen; ends with 1 when something was not.
//
// POLKU_URL       where it answers
// POLKU_KEYS      the file of its company's keys
// POLKU_CHROMIUM  the browser

const { Browser } = require("./browser.cjs");
const { Company } = require("./company.cjs");

const PARTS = {
  walk: () => require("./walk.cjs").mouse,
  "walk by keyboard": () => require("./walk.cjs").keyboard,
  "walk without script": () => require("./walk.cjs").withoutScript,
  "who is who": () => require("./identity.cjs").mouse,
  "who is who by keyboard": () => require("./identity.cjs").keyboard,
  "who is who without script": () => require("./identity.cjs").withoutScript,
  timeline: () => require("./timeline.cjs").timeline,
  preferences: () => require("./preferences.cjs").preferences,
  record: () => require("./record.cjs").record,
  hostile: () => require("./hostile.cjs").hostile,
  feedback: () => require("./feedback.cjs").feedback,
  pages: () => require("./pages.cjs").pages,
};

/** Longer than all waits of any part that passes. */
const BOUND_MS = 480_000;

/** One part of the tests, with people of its own, whose pages have no faults at its end. */
async function play(name, company, browser) {
  const started = Date.now();
  const step = (text) => console.log(`${name}: ${text} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  const people = [];
  const own = {
    person: async (...asked) => {
      const person = await browser.person(...asked);
      people.push(person);
      return person;
    },
  };
  let failure;
  try {
    await PARTS[name]()(company, own, step);
    const faults = people.flatMap((person) => person.faults);
    if (faults.length > 0) throw new Error([...new Set(faults)].join("\n"));
  } catch (error) {
    const seen = await Promise.all(people.map((person) => person.describe()));
    failure = `${name} FAILED: ${error.stack}\n${seen.join("\n")}`;
    console.log(failure);
  }
  await Promise.all(people.map((person) => person.context.close()));
  return failure;
}

async function main(asked) {
  setTimeout(() => {
    console.log(`not done after ${BOUND_MS / 1000} s`);
    process.exit(1);
  }, BOUND_MS).unref();
  const company = new Company(process.env.POLKU_URL, process.env.POLKU_KEYS);
  const browser = await Browser.start(company);
  const parts = asked.length > 0 ? asked : Object.keys(PARTS);
  const played = await Promise.all(parts.map((part) => play(part, company, browser)));
  await browser.close();
  const failed = played.filter(Boolean).length;
  console.log(`${parts.length - failed} of ${parts.length} parts of the browser tests passed`);
  process.exit(failed > 0 ? 1 : 0);
}

main(process.argv.slice(2));
