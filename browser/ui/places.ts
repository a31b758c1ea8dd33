/**
 * The places: the terminal, and beside it the swarm, the files, the mail, the jobs or the tables. On a phone each place
 * fills the screen, and a swipe or a tab leads to the next. F6 goes from the terminal to the place beside it, and back.
 */
import { byId } from "./dom.ts";
import type { PageTerminal } from "./terminal.ts";

/** In the order in which they are beside each other on a phone. */
const PLACES = ["terminal", "swarm", "files", "mail", "jobs", "tables"] as const;
const BESIDE = ["swarm", "files", "mail", "jobs", "tables"] as const;
type Place = (typeof PLACES)[number];

export function connectPlaces(terminal: PageTerminal): void {
  const places = byId("places", HTMLElement);
  places.addEventListener("scroll", () => {
    const at = PLACES[Math.round(places.scrollLeft / places.clientWidth)];
    for (const place of PLACES) tabOf(place).setAttribute("aria-current", String(place === at));
    if (at !== undefined && at !== "terminal") showBeside(at);
  });
  for (const place of PLACES) tabOf(place).addEventListener("click", () => goTo(place));
  for (const place of BESIDE) {
    // A person who drags something there wants to drop it in the place behind the button.
    byId(`view-${place}`, HTMLButtonElement).addEventListener("dragenter", () => showBeside(place));
    byId(`view-${place}`, HTMLButtonElement).addEventListener("click", () => showBeside(place));
    byId(`to-${place}`, HTMLButtonElement).addEventListener("click", () => {
      showBeside(place);
      placeOf(place).focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F6") return;
    event.preventDefault();
    const isBeside = BESIDE.some((place) => placeOf(place).contains(document.activeElement));
    if (isBeside) terminal.focus();
    else placeOf(BESIDE.find((place) => place === places.dataset["beside"]) ?? "swarm").focus();
  });
  connectChoice();
}

/** Shows a place, in either layout of the page. */
export function goTo(place: Place): void {
  const places = byId("places", HTMLElement);
  if (place !== "terminal") showBeside(place);
  // If the places are side by side, there is nothing to scroll.
  places.scrollTo({ left: PLACES.indexOf(place) * places.clientWidth, behavior: "smooth" });
}

function showBeside(shown: (typeof BESIDE)[number]): void {
  byId("places", HTMLElement).dataset["beside"] = shown;
  for (const place of BESIDE) {
    byId(`view-${place}`, HTMLButtonElement).setAttribute("aria-pressed", String(place === shown));
  }
}

function placeOf(place: (typeof BESIDE)[number]): HTMLElement {
  return byId(`${place}-place`, HTMLElement);
}

function tabOf(place: Place): HTMLButtonElement {
  return byId(`tab-${place}`, HTMLButtonElement);
}

/** Picture or table. */
function connectChoice(): void {
  const picture = byId("show-picture", HTMLButtonElement);
  const table = byId("show-table", HTMLButtonElement);
  const show = (asTable: boolean): void => {
    byId("picture", HTMLElement).hidden = asTable;
    byId("table", HTMLElement).hidden = !asTable;
    picture.setAttribute("aria-pressed", String(!asTable));
    table.setAttribute("aria-pressed", String(asTable));
  };
  picture.addEventListener("click", () => show(false));
  table.addEventListener("click", () => show(true));
}
