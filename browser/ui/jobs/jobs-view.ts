/**
 * The swarm's jobs as a place of the page, running and over, whoever submitted them. It is loaded when it is first
 * looked at, and drawn only while it is in sight. The table says the same for people who don't see the strips.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import { contentBytes } from "../../../core/jobs/spec.ts";
import type { JobId, JobState } from "../../../core/jobs/types.ts";
import { count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { factsOf, type JobFacts } from "../../../core/shell/jobs/facts.ts";
import { percent, rateWords, STATES } from "../../../core/shell/jobs/words.ts";
import { byId, setText } from "../dom.ts";
import { KeyedRows } from "../keyed-rows.ts";
import { Download } from "../download.ts";
import { lookAt } from "../files/preview.ts";
import { JobCard } from "./job-card.ts";

/** More than anybody scrolls through; `ps --all` lists the others. */
const SHOWN_MAX = 40;
/** The least time between two drawings. */
const DRAW_MS = 250;
/** Rates and times change without any event. */
const REFRESH_MS = 1_000;
/** A new member does not know all jobs until it has reconciled; only after this time it says that there are none. */
const SETTLE_MS = 2_500;

export class JobsView {
  readonly #computer: Computer;
  readonly #place = byId("jobs-place", HTMLElement);
  readonly #list = byId("jobs-list", HTMLUListElement);
  readonly #body = byId("jobs-rows", HTMLTableSectionElement);
  readonly #cards = new KeyedRows<JobCard>(this.#list);
  readonly #result: ResultPanel;
  readonly #beganAtMs: number = performance.now();
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  /** `run` runs the line that the empty view proposes. */
  constructor(computer: Computer, run: (line: string) => void) {
    this.#computer = computer;
    this.#result = new ResultPanel(computer);
    for (const proposed of byId("jobs-empty", HTMLElement).querySelectorAll("button")) {
      const line = proposed.dataset["line"] ?? "";
      proposed.textContent = line;
      proposed.addEventListener("click", () => run(line));
    }
    this.#connectChoice();
  }

  show(): void {
    this.#computer.jobs.onChange(() => this.#later());
    this.#computer.net.onMember(() => this.#later());
    // It comes into view, or its size changes.
    new ResizeObserver(() => this.#later()).observe(this.#place);
    setInterval(() => {
      if (document.visibilityState === "visible") this.#later();
    }, REFRESH_MS);
    this.#draw();
  }

  #connectChoice(): void {
    const strips = byId("jobs-show-strips", HTMLButtonElement);
    const table = byId("jobs-show-table", HTMLButtonElement);
    const show = (asTable: boolean): void => {
      this.#list.hidden = asTable;
      byId("jobs-table", HTMLElement).hidden = !asTable;
      strips.setAttribute("aria-pressed", String(!asTable));
      table.setAttribute("aria-pressed", String(asTable));
      this.#draw();
    };
    strips.addEventListener("click", () => show(false));
    table.addEventListener("click", () => show(true));
  }

  #later(): void {
    if (this.#drawing !== undefined) return;
    const waitMs = Math.max(0, this.#drawnAtMs + DRAW_MS - performance.now());
    this.#drawing = setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    if (!this.#place.checkVisibility()) return;
    this.#drawnAtMs = performance.now();
    const all = ordered(this.#computer.jobs.list());
    const shown = all.slice(0, SHOWN_MAX).map((state) => ({ state, facts: factsOf(state, this.#computer) }));
    this.#drawFacts(all, shown.length);
    if (this.#list.hidden) this.#drawTable(shown.map(({ facts }) => facts));
    else this.#drawCards(shown);
  }

  #drawFacts(all: readonly JobState[], shown: number): void {
    const running = all.filter(({ outcome }) => outcome === undefined).length;
    const facts = all.length === 0 ? "" : `${running} running · ${all.length - running} over`;
    setText(byId("jobs-facts", HTMLElement), facts);
    const isKnown = performance.now() - this.#beganAtMs > SETTLE_MS || all.length > 0;
    byId("jobs-empty", HTMLElement).hidden = all.length > 0 || !isKnown;
    const rest = byId("jobs-rest", HTMLElement);
    rest.hidden = all.length <= shown;
    setText(rest, `${count(all.length - shown, "older one")}: 'ps --all' in the terminal lists them.`);
  }

  #drawCards(shown: readonly { readonly state: JobState; readonly facts: JobFacts }[]): void {
    this.#cards.show(shown, {
      idOf: ({ facts }) => facts.id,
      make: ({ facts }) => this.#newCard(facts.id),
      fill: (card, { facts, state }) => card.update(facts, state, this.#computer),
    });
  }

  #newCard(id: JobId): JobCard {
    const card = new JobCard({
      cancel: () => {
        const { jobs } = this.#computer;
        const title = oneLine(jobs.state(id)?.spec.title ?? id);
        say(jobs.cancel(id) ? `${title} was cancelled.` : `${title} is over already.`);
        this.#draw();
      },
      open: () => void this.#result.open(id),
    });
    card.element.addEventListener("job-asks", () => this.#draw());
    return card;
  }

  #drawTable(all: readonly JobFacts[]): void {
    while (this.#body.rows.length > all.length) this.#body.deleteRow(-1);
    all.forEach((facts, i) => {
      const row = this.#body.rows[i] ?? newRow(this.#body);
      const { title, state, isOwn, owner, done, total, ratePerSecond, nodes } = facts;
      const cells = [
        oneLine(title),
        STATES[state],
        isOwn ? "you" : oneLine(owner),
        `${done} of ${total} (${percent(facts)})`,
        rateWords(ratePerSecond),
        nodes.map((node) => `${oneLine(node.name)} ${node.done}`).join(", "),
      ];
      cells.forEach((text, index) => {
        const cell = row.cells[index];
        if (cell !== undefined) setText(cell, text);
      });
    });
  }
}

function newRow(body: HTMLTableSectionElement): HTMLTableRowElement {
  const row = body.insertRow();
  const name = document.createElement("th");
  name.scope = "row";
  row.append(name, ...Array.from({ length: 5 }, () => document.createElement("td")));
  return row;
}

/** Running jobs first. */
function ordered(all: readonly JobState[]): JobState[] {
  return [...all.filter(({ outcome }) => outcome === undefined), ...all.filter(({ outcome }) => outcome !== undefined)];
}

function say(words: string): void {
  setText(byId("jobs-said", HTMLElement), words);
}

/** The result of one job: a preview, and a button to save it. */
class ResultPanel {
  readonly #computer: Computer;
  readonly #panel = byId("job-result", HTMLElement);
  readonly #view = byId("job-result-view", HTMLElement);
  #open: { readonly id: JobId; readonly name: string } | undefined;
  #reading = new AbortController();

  constructor(computer: Computer) {
    this.#computer = computer;
    byId("job-result-close", HTMLButtonElement).addEventListener("click", () => this.#close());
    byId("job-result-save", HTMLButtonElement).addEventListener("click", () => void this.#save());
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
    });
  }

  async open(id: JobId): Promise<void> {
    const { jobs } = this.#computer;
    const state = jobs.state(id);
    if (state?.outcome?.is !== "done") return say("It has no result.");
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const title = oneLine(state.spec.title);
    this.#open = { id, name: title };
    setText(byId("job-result-title", HTMLElement), `Result of ${title}`);
    this.#view.replaceChildren("Reading…");
    this.#panel.hidden = false;
    this.#panel.focus();
    this.#panel.scrollIntoView({ block: "nearest" });
    try {
      const sizeBytes = contentBytes(state.outcome.result);
      const shown = await lookAt({ name: `Result of ${title}`, sizeBytes, read: () => jobs.result(id, { signal }) });
      if (!signal.aborted) this.#view.replaceChildren(...shown);
    } catch (error) {
      if (!signal.aborted) this.#view.replaceChildren(`It could not be read: ${messageOf(error)}`);
    }
  }

  #close(): void {
    this.#reading.abort();
    const id = this.#open?.id;
    this.#open = undefined;
    this.#panel.hidden = true;
    this.#view.replaceChildren();
    document.querySelector<HTMLElement>(`#jobs-list [data-job="${id ?? ""}"] button`)?.focus();
  }

  async #save(): Promise<void> {
    if (this.#open === undefined) return;
    const { id, name } = this.#open;
    let download: Download | undefined;
    try {
      for await (const part of this.#computer.jobs.result(id)) {
        download ??= new Download(`${name.replaceAll(/[^\w.-]+/g, "-")}${endOf(part)}`);
        await download.write(part);
      }
      download ??= new Download(`${name}.txt`);
      await download.finish();
      say(`The result of ${name} is among your downloads.`);
    } catch (error) {
      await download?.abort();
      say(`The result could not be saved: ${messageOf(error)}`);
    }
  }
}

/** The ending of a file's name, by the file's first bytes. */
function endOf(head: Uint8Array): string {
  const beginning = String.fromCharCode(...head.subarray(0, 4));
  return Object.entries(ENDS).find(([begins]) => beginning.startsWith(begins))?.[1] ?? ".txt";
}

const ENDS: Readonly<Record<string, string>> = {
  GIF8: ".gif",
  "\x89PNG": ".png",
  BM: ".bmp",
  "PK\x03\x04": ".zip",
  "\xff\xd8": ".jpg",
};
