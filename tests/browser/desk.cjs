// The pages of the desk as a person finds their way on them: by what stands on buttons, links and fields.

/** A department's inbox. */
class Inbox {
  constructor(person) {
    this.person = person;
    this.page = person.page;
  }

  async open(department, show) {
    await this.person.goto(`/inbox/${department}${show ? `?show=${show}` : ""}`);
    this.loads = this.person.loads;
    return this;
  }

  /** The row that has these words in it. */
  row(text) {
    return this.page.locator("li.row", { hasText: text });
  }

  /** Waits for a row that comes by itself. */
  async sees(text) {
    const row = this.row(text);
    await row.waitFor();
    if (this.person.loads !== this.loads) throw new Error("the inbox was loaded again");
    return row.innerText();
  }

  async loses(text) {
    await this.row(text).waitFor({ state: "detached" });
    if (this.person.loads !== this.loads) throw new Error("the inbox was loaded again");
  }

  async take(text) {
    await this.person.hand.press(this.row(text).getByRole("link"));
    await this.page.waitForURL("**/cases/*");
    return new Case(this.person);
  }
}

/** A case. */
class Case {
  constructor(person) {
    this.person = person;
    this.page = person.page;
  }

  async open(id) {
    await this.person.goto(`/cases/${id}`);
    return this;
  }

  get id() {
    return new URL(this.page.url()).pathname.split("/")[2];
  }

  /** A command that is one button. */
  async press(command) {
    const { hand, say } = this.person;
    const button = this.page.getByRole("button", { name: say(`act-${command}`), exact: true });
    await hand.press(button);
    await this.said(`done-${command}`);
  }

  /** A command that asks something: opens its form, has it filled in, and sends it. */
  async tell(command, fill) {
    const { hand, say } = this.person;
    const form = this.form(command);
    await hand.press(form.locator("summary"));
    await fill(form);
    await hand.press(form.getByRole("button", { name: say(`send-${command}`), exact: true }));
    await this.said(`done-${command}`);
  }

  form(command) {
    const summary = this.page.locator("summary").getByText(this.person.say(`act-${command}`), { exact: true });
    return this.page.locator("details.act").filter({ has: summary });
  }

  async contact(way, reached) {
    const { hand, say } = this.person;
    await this.tell("contact", async (form) => {
      await hand.tick(form.getByRole("radio", { name: say(`how-${way}`), exact: true }));
      await hand.tick(form.getByRole("radio", { name: say(`ask-reached-${reached}`), exact: true }));
    });
  }

  async handOff(department, why) {
    const { hand, say } = this.person;
    await this.tell("hand-off", async (form) => {
      await hand.choose(form.getByLabel(say("ask-to")), department);
      await hand.write(form.getByLabel(say("ask-reason-hand-off")), why);
    });
  }

  async resolve(way, what) {
    const { hand, say } = this.person;
    await this.tell("resolve", async (form) => {
      await hand.tick(form.getByRole("radio", { name: say(`how-${way}`), exact: true }));
      await hand.write(form.getByLabel(say("ask-reason-resolve")), what);
    });
  }

  async note(text) {
    const { hand, say } = this.person;
    await this.tell("note", (form) => hand.write(form.getByLabel(say("ask-reason-note")), text));
  }

  /** What the page says came of what was done. */
  async said(key) {
    await this.page.getByRole("alert").getByText(this.person.say(key), { exact: true }).waitFor();
  }

  /** Waits until the open page says that the case has changed. */
  async hearsOfAChange() {
    await this.page.getByRole("status").filter({ hasText: this.person.say("case-changed") }).waitFor();
  }

  async history() {
    return this.page.getByRole("region", { name: this.person.say("case-history") }).innerText();
  }

  async words() {
    return this.page.locator(".said blockquote").allTextContents();
  }

  async customer() {
    const { hand, say } = this.person;
    await hand.press(this.page.getByRole("region", { name: say("case-customer") }).getByRole("link"));
    await this.page.waitForURL("**/customers/*");
    return new Customer(this.person);
  }
}

/** A customer's timeline. */
class Customer {
  constructor(person) {
    this.person = person;
    this.page = person.page;
  }

  async open(id) {
    await this.person.goto(`/customers/${id}`);
    return this;
  }

  /** What happened, the oldest first. */
  async entries() {
    const entries = await this.page.locator("ol.timeline > li").allInnerTexts();
    return entries.reverse();
  }
}

/** Kirjaa. */
class Record {
  constructor(person) {
    this.person = person;
    this.page = person.page;
  }

  /** From whatever page the person is at. */
  async open() {
    const { hand, say } = this.person;
    await hand.press(this.page.getByRole("banner").getByRole("link", { name: say("menu-record"), exact: true }));
    await this.page.waitForURL("**/record*");
    return this;
  }

  field(key) {
    return this.page.getByLabel(this.person.say(`record-${key}`), { exact: true });
  }

  kind(name) {
    return this.page.getByRole("radio", { name: this.person.say(`record-kind-${name}`), exact: true });
  }

  /** An open matter of the customer, by some of its words. */
  matter(text) {
    return this.page.locator("label.choice", { hasText: text }).getByRole("radio");
  }

  /** The page that says where it is now. */
  async saved() {
    await this.page.waitForURL("**/record/*");
    return this.page.getByRole("status").innerText();
  }
}

/** Signing in by hand. */
async function signIn(person, key) {
  await person.goto("/");
  const { hand, say, page } = person;
  await hand.write(page.getByLabel(say("sign-in-key"), { exact: true }), key);
  await hand.press(page.getByRole("button", { name: say("sign-in"), exact: true }));
  await page.waitForURL("**/inbox/*");
}

/** That a list of texts holds some, in this order. */
function inOrder(texts, expected) {
  let from = 0;
  for (const wanted of expected) {
    const at = texts.findIndex((text, index) => index >= from && text.includes(wanted));
    if (at < 0) throw new Error(`"${wanted}" is missing, or comes too early, among:\n${texts.join("\n")}`);
    from = at + 1;
  }
}

function includes(text, ...expected) {
  for (const wanted of expected) {
    if (!text.includes(wanted)) throw new Error(`"${wanted}" is missing in: ${text}`);
  }
}

module.exports = { Case, Customer, Inbox, Record, inOrder, includes, signIn };
