// One Chromium, and people at it: each in a context of their own, watched for everything that must not happen on any page.

const { chromium } = require("playwright-core");
const { BOUND_MS } = require("./company.cjs");
const { Keyboard, Mouse } = require("./hands.cjs");
const words = require("./words.cjs");

class Browser {
  static async start(company) {
    const root = process.getuid() === 0;
    const chrome = await chromium.launch({
      executablePath: process.env.POLKU_CHROMIUM,
      chromiumSandbox: !root,
      // Whatever asks for another host is told that there is none.
      args: ["--lang=en-US", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
    });
    return new Browser(chrome, company);
  }

  constructor(chrome, company) {
    this.chrome = chrome;
    this.company = company;
  }

  /** Somebody at a page of their own, signed in if they are one of the company's people. */
  async person(name, { language = "fi", keyboard = false, width = 1280, height = 800, script = true } = {}) {
    const context = await this.chrome.newContext({
      baseURL: this.company.url,
      locale: { fi: "fi-FI", sv: "sv-FI", en: "en-GB" }[language],
      timezoneId: "Europe/Helsinki",
      viewport: { width, height },
      javaScriptEnabled: script,
      reducedMotion: "reduce",
      colorScheme: "light",
    });
    context.setDefaultTimeout(BOUND_MS);
    const person = new Person(name, context, language);
    person.watch(new URL(this.company.url).host);
    if (name) {
      const form = { key: this.company.key(name), to: "/" };
      const answer = await context.request.post("/sign-in", { form, maxRedirects: 0 });
      if (answer.status() !== 303) throw new Error(`${name} was not signed in: ${answer.status()}`);
    }
    person.page = await context.newPage();
    person.hand = keyboard ? new Keyboard(person.page) : new Mouse(person.page);
    return person;
  }

  async close() {
    await this.chrome.close();
  }
}

class Person {
  constructor(name, context, language) {
    this.name = name;
    this.context = context;
    this.language = language;
    this.say = words.desk(language);
    /** What went wrong in the pages themselves. */
    this.faults = [];
    this.loads = 0;
  }

  /** No request leaves the host, nothing runs or is styled in line, nothing fails silently. */
  watch(host) {
    const { context, faults } = this;
    context.on("request", (request) => {
      const { protocol, host: asked } = new URL(request.url());
      if (protocol !== "data:" && asked !== host) faults.push(`a request left the host: ${request.url()}`);
      if (request.isNavigationRequest()) this.loads += 1;
    });
    context.on("response", (response) => {
      const { pathname } = new URL(response.url());
      const isPage = response.request().resourceType() === "document";
      if (response.status() >= (isPage ? 500 : 400)) faults.push(`${pathname} answered ${response.status()}`);
      const isHtml = (response.headers()["content-type"] ?? "").startsWith("text/html");
      if (isHtml) faults.push(...lax(response.headers()).map((fault) => `${pathname} ${fault}`));
    });
    context.on("console", (message) => {
      // That a page says 404 or 422 is what some tests are about; all else that fails to load is counted above.
      const isAnswer = message.text().startsWith("Failed to load resource: the server responded");
      if (["error", "warning"].includes(message.type()) && !isAnswer) faults.push(`the console said: ${message.text()}`);
    });
    context.on("weberror", (error) => faults.push(`a script failed: ${error.error().message}`));
  }

  async goto(path) {
    await this.page.goto(path);
    return this;
  }

  /** What stands on the page, for whoever reads a failure. */
  async describe() {
    const text = await this.page.locator("body").innerText({ timeout: 1_000 }).catch(() => "");
    const lines = text.split("\n").filter((line) => line.trim());
    return `${this.name ?? "somebody"} at ${this.page.url()}:\n${lines.slice(0, 50).map((line) => `    ${line}`).join("\n")}`;
  }
}

/** What the headers of a page allow that they should not. */
function lax(headers) {
  const policy = headers["content-security-policy"] ?? "";
  const faults = [];
  if (!policy.includes("default-src 'none'")) faults.push(`has a lax content security policy: "${policy}"`);
  if (/unsafe-|\*|data:|https?:/.test(policy)) faults.push(`has a policy with an exception: "${policy}"`);
  return faults;
}

module.exports = { Browser };
