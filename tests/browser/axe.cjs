// What axe-core finds on a page, by the rules of WCAG 2.2 AA.

const axe = require("axe-core");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** To be called before any page is opened. */
async function prepare(context) {
  await context.addInitScript(axe.source);
}

/** The faults of a page as it stands, in one line each. */
async function faults(page) {
  const { violations, covered, looked } = await page.evaluate(async (rules) => {
    const runOnly = { type: "tag", values: rules };
    const options = { runOnly, resultTypes: ["violations", "incomplete"] };
    const { violations, incomplete, passes } = await window.axe.run(document, options);
    const unsure = incomplete.filter((rule) => rule.id === "color-contrast").flatMap((rule) => rule.nodes);
    return {
      violations: violations.map(({ id, nodes }) => ({ id, nodes })),
      covered: unsure.map((node) => node.target[0]),
      looked: [...violations, ...incomplete, ...passes].map((rule) => rule.id),
    };
  }, RULES);
  // Without these it has not looked at all.
  for (const rule of ["color-contrast", "document-title", "html-has-lang"]) {
    if (!looked.includes(rule)) throw new Error(`axe did not look for ${rule}`);
  }
  return [...violations.flatMap(said), ...(await page.evaluate(faint, covered))];
}

function said(rule) {
  return rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)} (${node.failureSummary.replace(/\s+/g, " ")})`);
}

/** Runs in the page: which of these texts are faint. axe cannot tell where something lies over a text, or it is scrolled away. */
function faint(targets) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (pixel) => {
    const [red, green, blue] = [...pixel.slice(0, 3)].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    if (element === null) return paint("Canvas");
    ground(element.parentElement);
    return paint(getComputedStyle(element).backgroundColor);
  };
  return targets.flatMap((target) => {
    const element = document.querySelector(target);
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const under = light(ground(element));
    const ink = light(paint(color));
    const ratio = (Math.max(under, ink) + 0.05) / (Math.min(under, ink) + 0.05);
    const isLarge = parseFloat(fontSize) >= (Number(fontWeight) >= 700 ? 18.66 : 24);
    return ratio >= (isLarge ? 3 : 4.5) ? [] : [`color-contrast: ${element.outerHTML.slice(0, 200)} (${ratio.toFixed(2)})`];
  });
}

module.exports = { faults, prepare };
