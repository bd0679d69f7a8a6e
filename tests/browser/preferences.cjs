// What a reader chooses goes over what the browser prefers, and is kept; signing out ends it all.

const { signIn } = require("./desk.cjs");
const words = require("./words.cjs");

async function preferences(company, browser, step) {
  const person = await browser.person(null, { language: "fi" });
  const { page } = person;
  await signIn(person, company.key("aino"));
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();

  const choose = async (say, key, name) => {
    const sheet = page.locator(".self");
    await sheet.locator("summary").click();
    await sheet.getByRole("group", { name: say(key), exact: true }).getByRole("button", { name, exact: true }).click();
  };
  await choose(person.say, "language", "Svenska");
  const swedish = words.desk("sv");
  await page.getByRole("link", { name: swedish("menu-search"), exact: true }).waitFor();
  await choose(swedish, "theme", swedish("theme-dark"));
  await page.locator('html[data-theme="dark"]').waitFor();
  const dark = await ground();
  if (dark === light) throw new Error(`the dark page is as light as the light one: ${dark}`);
  await person.goto("/search");
  await page.getByRole("heading", { name: swedish("search-title"), exact: true }).waitFor();
  if ((await ground()) !== dark) throw new Error("the next page has forgotten the theme");
  step("language and theme are chosen, and kept from page to page");

  await page.locator(".self summary").click();
  await page.getByRole("button", { name: swedish("sign-out"), exact: true }).click();
  await page.getByLabel(swedish("sign-in-key"), { exact: true }).waitFor();
  await person.goto("/inbox/customer-care");
  await page.getByLabel(swedish("sign-in-key"), { exact: true }).waitFor();
  step("after signing out the desk is closed");
}

module.exports = { preferences };
