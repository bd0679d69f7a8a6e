// What the desk and the feedback form say, from their own messages: a test asks for a message by its key, as a template does.

const fs = require("node:fs");
const path = require("node:path");

const LANGUAGES = ["fi", "sv", "en"];
const CRATES = path.join(__dirname, "../../crates");

/** The messages of one crate in one language, as a function of key and values. */
function words(crate, language) {
  const text = fs.readFileSync(path.join(CRATES, crate, "i18n", `${language}.ftl`), "utf8");
  const lines = text.split("\n").map((line) => /^([a-z][a-z0-9-]*) = ?(.*)$/.exec(line));
  const messages = new Map(lines.filter(Boolean).map(([, key, message]) => [key, message]));
  return (key, values = {}) => {
    const message = messages.get(key);
    if (message === undefined) throw new Error(`there is no message ${key} in ${language}`);
    return message.replace(/\{ \$(\w+) \}/g, (_, name) => {
      if (!(name in values)) throw new Error(`the message ${key} wants a ${name}`);
      return values[name];
    });
  };
}

module.exports = { LANGUAGES, desk: (language) => words("serve", language), form: (language) => words("ingest-web", language) };
