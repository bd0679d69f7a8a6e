// Two ways to use a page: with a mouse, and with nothing but a keyboard. A walk is written once and done by both.

/** More stops than any page has before what is wanted. */
const TABS_MAX = 120;

class Mouse {
  constructor(page) {
    this.page = page;
  }

  async press(target) {
    await target.click();
  }

  async tick(radio) {
    await radio.check();
  }

  async mark(box) {
    await box.check();
  }

  async write(field, text) {
    await field.fill(text);
  }

  async choose(select, label) {
    await select.selectOption({ label });
  }
}

/** Reaches everything by the Tab key, and counts the keys that it presses. */
class Keyboard {
  constructor(page) {
    this.page = page;
    this.presses = 0;
    /** Of what was written: the words themselves. */
    this.letters = 0;
  }

  async press(target) {
    await this.reach(target);
    await this.strike("Enter");
  }

  /** The radio buttons of a group are one stop; the arrows go through them. */
  async tick(radio) {
    const focused = radio.page().locator(`input[name="${await radio.getAttribute("name")}"]:focus`);
    await this.reach(radio, focused);
    for (let tried = 0; !(await has(radio)); tried += 1) {
      if (tried > TABS_MAX) throw new Error(`no arrow leads to ${radio}`);
      await this.strike("ArrowDown");
    }
    if (!(await radio.isChecked())) await this.strike("Space");
  }

  async mark(box) {
    await this.reach(box);
    if (!(await box.isChecked())) await this.strike("Space");
  }

  async write(field, text) {
    await this.reach(field);
    await this.type(text);
  }

  async choose(select, label) {
    await this.reach(select);
    const chosen = () => select.evaluate((element) => element.selectedOptions[0]?.label);
    for (let tried = 0; (await chosen()) !== label; tried += 1) {
      if (tried > TABS_MAX) throw new Error(`${label} is not in ${select}`);
      await this.strike("ArrowDown");
    }
  }

  /** Tab by Tab, forward only, until the target has the focus, or something else of its group; it must be seen there. */
  async reach(target, group) {
    await target.waitFor();
    for (let tabs = 0; !(await has(target)) && !(group && (await group.count()) > 0); tabs += 1) {
      if (tabs > TABS_MAX) throw new Error(`${target} cannot be reached by the Tab key`);
      await this.strike("Tab");
    }
    const fault = await this.page.evaluate(unseen);
    if (fault) throw new Error(`${target} has the focus, but ${fault}`);
  }

  async strike(...keys) {
    for (const key of keys) {
      this.presses += key.split("+").length;
      await this.page.keyboard.press(key);
    }
  }

  async type(text) {
    this.letters += [...text].length;
    await this.page.keyboard.type(text);
  }
}

function has(locator) {
  return locator.evaluate((element) => element === document.activeElement);
}

/** Runs in the page: why a person would not see where the focus is. */
function unseen() {
  const element = document.activeElement;
  if (!element.matches(":focus-visible")) return "it shows nothing of it";
  const ringed = [element, ...element.querySelectorAll("*"), element.closest("li, label")].filter(Boolean);
  const drawn = (one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" || style.boxShadow !== "none";
  };
  if (!ringed.some(drawn) && !drawn(element.nextElementSibling ?? element)) return "nothing is drawn around it";
  const box = element.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return inside ? null : "it lies outside of what is seen";
}

module.exports = { Keyboard, Mouse };
