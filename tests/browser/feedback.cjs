// The feedback form that Polku serves: by keyboard alone, and without script as all of it is.

const { FORM } = require("./company.cjs");
const { includes } = require("./desk.cjs");
const words = require("./words.cjs");

async function feedback(company, browser, step) {
  const language = "sv";
  const say = words.form(language);
  const visitor = await browser.person(null, { language, keyboard: true, script: false, width: 360 });
  const { hand, page } = visitor;
  const field = (key) => page.getByLabel(say(key), { exact: true });
  const email = `${company.own("besok")}@example.fi`;
  const text = `Sohva tuli rikki: ${email}`;
  const faulty = async (key) => {
    await page.getByRole("alert").getByRole("link", { name: say(key), exact: true }).waitFor();
    includes(await page.title(), say("fault-title"));
  };

  await visitor.goto(`/feedback/${FORM}?place=store:kamppi&order=${company.own("E")}`);
  await visitor.hand.press(page.getByRole("button", { name: say("send"), exact: true }));
  await faulty("fault-nothing");

  await hand.tick(page.getByRole("radio", { name: "2", exact: true }));
  await hand.write(field("text"), text);
  await hand.tick(page.getByRole("radio", { name: say("feeling-angry"), exact: true }));
  await hand.write(field("email"), "besok");
  await hand.strike("Enter");
  await faulty("fault-email");
  includes(await field("text").inputValue(), text);
  step("a fault is told at its field, and nothing written is lost");

  await hand.reach(field("email"));
  await hand.strike("Control+A");
  await hand.type(email);
  await hand.strike("Enter");
  await page.getByRole("heading", { name: say("thanks-title"), exact: true }).waitFor();
  const opened = await company.caseOf(`email:${email}`);
  const timeline = await company.get(`/v1/customers/${opened.customer}/timeline`, company.key("auditor"));
  const [entry] = timeline.entries.filter((entry) => entry.source === FORM);
  const isAll = entry?.score?.value === 2 && entry.place === "store:kamppi";
  if (!isAll) throw new Error(`it became ${JSON.stringify(timeline.entries)}`);
  step(`what was written by keyboard and without script opens a case, with ${hand.presses} keys and ${hand.letters} letters`);
}

module.exports = { feedback };
