// What keeps a page true while it is looked at. Every page works without it.

const units = (document.documentElement.dataset.units ?? "d h min").split(" ");
const MINUTE = 60_000;

/** The two largest units, as the server says it. */
function length(millis) {
  const minutes = Math.floor(Math.abs(millis) / MINUTE);
  const parts = [
    [Math.floor(minutes / 1440), units[0]],
    [Math.floor(minutes / 60) % 24, units[1]],
    [minutes % 60, units[2]],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return null;
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}\u00a0${unit}`)
    .join(" ");
}

function tick() {
  for (const clock of document.querySelectorAll("time.clock[data-to]")) {
    const text = length(Date.now() - Number(clock.dataset.to));
    if (text !== null && clock.textContent !== text) clock.textContent = text;
  }
}

/** Shows the page's list anew, and leaves the reader where the reader was. */
async function renew(list) {
  const answer = await fetch(location.href, { headers: { "polku-part": list.id } });
  // Whoever is signed out meanwhile is led to another page.
  if (!answer.ok || answer.redirected) return;
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const at = rows(list).indexOf(focused);
  const said = list.dataset.said;
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  const fresh = template.content.firstElementChild;
  if (fresh?.id !== list.id) return;
  const ticked = [...list.querySelectorAll("input:checked[id]")].map((box) => box.id);
  list.replaceChildren(...fresh.childNodes);
  list.dataset.said = fresh.dataset.said;
  for (const box of list.querySelectorAll("input[id]")) box.checked = ticked.includes(box.id);
  if (focused) {
    // The same row; if it is gone, the one in its place.
    const there = rows(list);
    const next = there[Math.min(at, there.length - 1)] ?? document.getElementById("refresh");
    (document.getElementById(focused.id) ?? next)?.focus({ preventScroll: true });
  }
  tick();
  if (said !== list.dataset.said) announce(list.dataset.said);
}

function rows(list) {
  return [...list.querySelectorAll(".row a[id]")];
}

function announce(text) {
  const place = document.getElementById("announced");
  if (place && text) place.textContent = text;
}

/** One stream for a page: `data-live` names where it comes from. */
function follow(page) {
  const list = document.getElementById(page.dataset.list ?? "");
  let renewing = false;
  let again = false;
  const changed = async () => {
    if (list === null) {
      document.getElementById("changed")?.removeAttribute("hidden");
      return;
    }
    if (renewing) {
      again = true;
      return;
    }
    renewing = true;
    try {
      do {
        again = false;
        await renew(list);
      } while (again);
    } catch {
      // The network failed; the stream says so too, and asks anew when it is back.
    } finally {
      renewing = false;
    }
  };
  let source;
  const open = () => {
    source = new EventSource(page.dataset.live);
    source.addEventListener("changed", changed);
    // After a time without a connection something may have been missed.
    let broken = false;
    source.addEventListener("error", () => (broken = true));
    source.addEventListener("open", () => {
      if (broken) changed();
      broken = false;
    });
  };
  open();
  // A stream is one of few connections that a browser allows to a host; a page that is shown again from memory opens it again.
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    changed();
    open();
  });
}

const live = document.querySelector("[data-live]");
if (live) follow(live);
tick();
setInterval(tick, 15_000);
