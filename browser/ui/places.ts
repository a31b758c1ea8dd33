/** The two places, terminal and swarm: side by side, or on a phone a swipe or tab apart; F6 goes from one to the other. */
import { byId } from "./dom.ts";
import type { PageTerminal } from "./terminal.ts";

export function connectPlaces(terminal: PageTerminal): void {
  const places = byId("places", HTMLElement);
  const swarm = byId("swarm-place", HTMLElement);
  const tabs = { terminal: byId("tab-terminal", HTMLButtonElement), swarm: byId("tab-swarm", HTMLButtonElement) };

  const go = (place: "terminal" | "swarm"): void => {
    places.scrollTo({ left: place === "swarm" ? places.scrollWidth : 0, behavior: "smooth" });
  };
  tabs.terminal.addEventListener("click", () => go("terminal"));
  tabs.swarm.addEventListener("click", () => go("swarm"));
  byId("to-swarm", HTMLButtonElement).addEventListener("click", () => swarm.focus());
  places.addEventListener("scroll", () => {
    const atSwarm = places.scrollLeft > places.clientWidth / 2;
    tabs.terminal.setAttribute("aria-current", String(!atSwarm));
    tabs.swarm.setAttribute("aria-current", String(atSwarm));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F6") return;
    event.preventDefault();
    if (swarm.contains(document.activeElement)) terminal.focus();
    else swarm.focus();
  });
  connectChoice();
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
