/**
 * The shared memory as a list that lights up: keys with one line of their value and its writer, those changed last on
 * top. However fast changes come, they are drawn a few times a second, and the number of changes that wait is bounded.
 */
import type { Computer } from "../../core/computer.ts";
import { timeOf } from "../../core/memory/version.ts";
import type { MapEntry } from "../../core/memory/types.ts";
import { colourOf } from "../../core/net/identity/names.ts";
import type { PeerId } from "../../core/ports/network.ts";
import { bytesWords, count } from "../../core/shell/format.ts";
import { oneLine, preview } from "../../core/shell/mem/value.ts";
import { Writers } from "../../core/shell/mem/writers.ts";
import { cut } from "../../core/shell/width.ts";
import { byId, setText, stillness } from "./dom.ts";
import { RecentKeys } from "./recent-keys.ts";

/** More than anybody scrolls through to see what has just happened. */
const SHOWN_MAX = 100;
/** Rows that most screens show without scrolling. */
const STILL_ROWS = 6;
/**
 * The least time between two drawings: short enough to look immediate, long enough to leave time for the rest of the
 * page.
 */
const DRAW_MS = 100;
/** How often names, sizes and the like are updated, which change without a write. */
const REFRESH_MS = 1000;
/** Entries that are searched for keys to show when there is room, and how often at most. */
const SEARCHED_MAX = 2_000;
const SEARCH_MS = 1000;
const FLASH_MS = 1200;
/** A row that changes all the time lights up again after this time: less than three flashes a second (WCAG 2.3.1). */
const FLASH_AGAIN_MS = 400;
/** A new member does not know all keys until it has reconciled, or has found nobody for this long. */
const SETTLE_MS = 3000;
/** Cells of a key or value: more than the panel is wide. */
const CELLS_MAX = 120;

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

interface Row {
  readonly element: HTMLTableRowElement;
  writer: number;
  /** Whose colour it has. */
  peer: PeerId | undefined;
  litAtMs: number;
}

export class MemoryView {
  readonly #computer: Computer;
  readonly #writers: Writers;
  readonly #table = byId("memory-table", HTMLElement);
  readonly #body = byId("memory-rows", HTMLTableSectionElement);
  readonly #keys = new RecentKeys(SHOWN_MAX, STILL_ROWS);
  readonly #rows = new Map<string, Row>();
  /** Keys that have changed since the last drawing, the newest last. If there are too many, the oldest are dropped. */
  readonly #changed = new Set<string>();
  #dropped = false;
  #shownAtMs = 0;
  #isWaiting = false;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #searchedAtMs = Number.NEGATIVE_INFINITY;

  /** `run` runs the line that the empty memory proposes. */
  constructor(computer: Computer, run: (line: string) => void) {
    this.#computer = computer;
    this.#writers = new Writers(computer);
    const proposed = byId("memory-try", HTMLButtonElement);
    proposed.addEventListener("click", () => run(proposed.textContent ?? ""));
  }

  show(): void {
    this.#shownAtMs = performance.now();
    this.#computer.memory.watch("", ({ key }) => this.#note(key));
    setInterval(() => {
      if (document.visibilityState === "visible") this.#place(new Map());
    }, REFRESH_MS);
    this.#place(new Map());
  }

  #note(key: string): void {
    // Makes it the newest, wherever it was.
    this.#changed.delete(key);
    this.#changed.add(key);
    if (this.#changed.size > SHOWN_MAX) {
      const [oldest = key] = this.#changed;
      this.#changed.delete(oldest);
      this.#dropped = true;
    }
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const delayMs = this.#drawnAtMs + DRAW_MS - performance.now();
    if (delayMs <= 0) requestAnimationFrame(() => this.#draw());
    else setTimeout(() => requestAnimationFrame(() => this.#draw()), delayMs);
  }

  #draw(): void {
    this.#isWaiting = false;
    this.#drawnAtMs = performance.now();
    // Some of the dropped keys may be on the screen.
    const keys = this.#dropped ? new Set([...this.#keys.order, ...this.#changed]) : this.#changed;
    const entries = new Map<string, MapEntry>();
    for (const key of keys) {
      const entry = this.#computer.memory.entry(key);
      if (entry === undefined) this.#keys.remove(key);
      else entries.set(key, entry);
      if (entry !== undefined && this.#changed.has(key)) this.#keys.touch(key);
    }
    this.#changed.clear();
    this.#dropped = false;
    this.#place(entries);
  }

  /** Puts rows into their order, and fills those of `entries`. Rows are kept, so that a reader's place survives. */
  #place(entries: ReadonlyMap<string, MapEntry>): void {
    const inSight = this.#inSight();
    this.#search();
    const shown = new Set(this.#keys.order);
    for (const [key, row] of this.#rows) {
      if (shown.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    this.#keys.order.forEach((key, index) => {
      const known = this.#rows.get(key);
      const row = known ?? newRow();
      const entry = entries.get(key) ?? (known === undefined ? this.#computer.memory.entry(key) : undefined);
      if (entry !== undefined) this.#fill(row, entry);
      this.#rows.set(key, row);
      const there = this.#body.children[index];
      if (there !== row.element) this.#body.insertBefore(row.element, there ?? null);
      if (entries.has(key) && inSight(index)) light(row);
    });
    this.#refresh();
  }

  /** Which rows are visible, by index: lighting up others would cost frames for nothing. */
  #inSight(): (index: number) => boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#table;
    const rowHeight = scrollHeight / (this.#rows.size + 1);
    return (index) =>
      rowHeight === 0 || Math.abs((index + 1.5) * rowHeight - scrollTop - clientHeight / 2) < clientHeight;
  }

  #fill(row: Row, { key, value, version, expiresAtMs }: MapEntry): void {
    const [name, shown] = row.element.children;
    const line = preview(value, CELLS_MAX);
    if (name !== undefined) setText(name, cut(oneLine(key), CELLS_MAX));
    if (shown !== undefined) setText(shown, line);
    const until = expiresAtMs === undefined ? "" : `, until ${moment.format(expiresAtMs)}`;
    row.element.title = `${oneLine(key)} = ${line}\nwritten ${moment.format(timeOf(version.stamp))}${until}`;
    row.writer = version.writer;
    this.#name(row);
  }

  #name(row: Row): void {
    const member = this.#writers.find(row.writer);
    const by = row.element.children[2];
    if (by !== undefined) setText(by, member === undefined ? "(has left)" : member.isSelf ? "you" : member.record.name);
    if (row.peer === member?.record.peer) return;
    row.peer = member?.record.peer;
    const colour = row.peer === undefined ? undefined : colourOf(row.peer);
    row.element.style.setProperty(
      "--colour",
      colour === undefined ? "var(--muted)" : `light-dark(${colour.light.hex}, ${colour.dark.hex})`,
    );
  }

  /** Finds keys to show if there is room: shown ones have gone, or there are none yet. */
  #search(): void {
    const { memory } = this.#computer;
    const shown = this.#keys.order.length;
    const now = performance.now();
    if (shown >= Math.min(SHOWN_MAX, memory.stat().entries) || now - this.#searchedAtMs < SEARCH_MS) return;
    this.#searchedAtMs = now;
    const found: { key: string; stamp: number }[] = [];
    for (const { key, version } of memory.entries()) {
      if (found.push({ key, stamp: version.stamp }) === SEARCHED_MAX) break;
    }
    found.sort((a, b) => b.stamp - a.stamp);
    this.#keys.append(found.map(({ key }) => key));
  }

  #refresh(): void {
    const { entries, bytes, reconciliations } = this.#computer.memory.stat();
    const shown = this.#keys.order.length;
    const some = shown < entries ? ` · ${shown} shown` : "";
    setText(
      byId("memory-facts", HTMLElement),
      entries === 0 ? "" : `${count(entries, "key")} · ${bytesWords(bytes)}${some}`,
    );
    this.#table.hidden = entries === 0;
    const isKnown = reconciliations.complete > 0 || performance.now() - this.#shownAtMs > SETTLE_MS;
    byId("memory-empty", HTMLElement).hidden = entries > 0 || !isKnown;
    for (const row of this.#rows.values()) this.#name(row);
  }
}

function newRow(): Row {
  const element = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  element.append(name, document.createElement("td"), document.createElement("td"));
  return { element, writer: 0, peer: "", litAtMs: Number.NEGATIVE_INFINITY };
}

/** In the writer's colour, fading; with reduced motion it stands still for as long. */
function light(row: Row): void {
  const now = performance.now();
  if (document.visibilityState === "hidden" || now - row.litAtMs < FLASH_AGAIN_MS) return;
  row.litAtMs = now;
  row.element.animate(
    [{ backgroundColor: "color-mix(in srgb, var(--colour) 30%, transparent)" }, { backgroundColor: "transparent" }],
    { duration: FLASH_MS, easing: stillness.matches ? "step-end" : "ease-out" },
  );
}
