// The company whose desk is looked at, from outside: its doors, its API, and the keys of its systems and people.

const fs = require("node:fs");

/** What the pages call the departments, which have one name in all languages. */
const DEPARTMENTS = {
  "customer-care": "Asiakaspalvelu",
  delivery: "Toimitukset",
  finance: "Talous",
};

/** Its source of the format `feedback-form`. */
const FORM = "feedback";

let told = 0;

class Company {
  /** `keys` is the file of keys that the company was made with. */
  constructor(url, keys) {
    this.url = url;
    this.keys = read(keys);
    this.run = Date.now().toString(36);
  }

  /** Something that no other test of any run has: a number, a name. */
  own(prefix) {
    return `${prefix}-${this.run}${(told += 1)}`;
  }

  /** A mobile number that nobody has. */
  phone() {
    return `040${String(Math.floor(Math.random() * 10_000_000)).padStart(7, "0")}`;
  }

  /** Sends events of our own form through a door. */
  async say(source, ...events) {
    // What is told happened a moment ago: before whatever comes of it.
    const time = new Date(Date.now() - 60_000).toISOString();
    const complete = events.map((event) => ({ id: this.own("event"), kind: "complaint", time, ...event }));
    const answer = await this.post(`/v1/sources/${source}/events`, this.keys.sources[source], complete);
    if (answer.accepted !== events.length) throw new Error(`the door of ${source} said ${JSON.stringify(answer)}`);
  }

  /** One command after the other, by a person, as a machine would give it. */
  async act(person, id, ...commands) {
    for (const command of commands) await this.post(`/v1/cases/${id}/commands`, this.key(person), command);
  }

  /** The first case of whoever has an identifier, once there is one that `is` asks for. */
  async caseOf(identifier, is = () => true) {
    return until(`a case of ${identifier}`, async () => {
      const found = await this.post("/v1/customers/search", this.key("auditor"), { identifier, reason: "test" });
      for (const { id } of found.customers) {
        const timeline = await this.get(`/v1/customers/${id}/timeline`, this.key("auditor"));
        for (const each of new Set(timeline.entries.map((entry) => entry.case).filter(Boolean))) {
          const known = await this.get(`/v1/cases/${each}`, this.key("auditor"));
          if (is(known)) return { ...known, customer: id };
        }
      }
    });
  }

  key(person) {
    const key = this.keys.credentials[person];
    if (!key) throw new Error(`${person} has no key`);
    return key;
  }

  async get(path, key) {
    return this.ask(path, { headers: { authorization: `Bearer ${key}` } });
  }

  async post(path, key, body) {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    return this.ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async ask(path, request) {
    const answer = await fetch(this.url + path, request);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text);
  }
}

/** The keys as the first start wrote them: two levels of names and texts. */
function read(file) {
  const keys = {};
  let table;
  for (const line of fs.readFileSync(file, "utf8").split("\n")) {
    const [, name] = /^\[(.+)\]$/.exec(line) ?? [];
    if (name) table = keys[name] = {};
    const [, key, value] = /^([\w-]+) = "(.*)"$/.exec(line) ?? [];
    if (key) table[key] = value;
  }
  return keys;
}

/** For a machine that is busy with other tests. */
const BOUND_MS = 60_000;

/** Looks until there is something to see. */
async function until(what, look) {
  const end = Date.now() + BOUND_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`waited ${BOUND_MS / 1000} s in vain: ${what}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

module.exports = { BOUND_MS, Company, DEPARTMENTS, FORM, until };
