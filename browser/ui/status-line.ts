/** The line at the bottom: this node's name, what it gives and what it gets. */
import type { StorageUse } from "../../core/disk/types.ts";
import { bytesWords } from "../../core/shell/format.ts";
import { protection } from "../protection.ts";
import { byId, setText } from "./dom.ts";
import { shortBytes } from "./files/words.ts";
import type { SwarmModel } from "./swarm-model.ts";

/** Slow enough to be read. */
const REFRESH_MS = 1000;

export class StatusLine {
  readonly #facts = byId("facts", HTMLElement);
  readonly #name = document.createElement("b");
  readonly #spans = new Map<string, HTMLSpanElement>();
  #before = { in: 0, out: 0, atMs: performance.now() };

  constructor() {
    this.#facts.replaceChildren();
    this.#span("name").append(this.#name);
  }

  /** Before there is a node. */
  say(words: string): void {
    setText(this.#name, words);
  }

  /** `tasksRun` counts the tasks that this tab has finished; `use` says what it keeps of the swarm's files. */
  follow(
    model: SwarmModel,
    facts: {
      readonly tasksRun: () => number;
      readonly use: () => StorageUse;
      /** What is wrong with this device's clock. */
      readonly clock: () => string | undefined;
    },
  ): void {
    const refresh = (): void => {
      this.#refresh(model, facts.tasksRun(), facts.use());
      this.#clock(facts.clock());
    };
    model.onChange(refresh);
    setInterval(() => {
      if (document.visibilityState === "visible") refresh();
    }, REFRESH_MS);
    refresh();
  }

  #refresh(model: SwarmModel, tasksRun: number, { usedBytes, offeredBytes }: StorageUse): void {
    const { nodes, present, linked } = model.facts;
    const self = nodes.find((node) => node.isSelf);
    if (self === undefined) return;
    this.say(self.name);
    this.#protection();
    this.#say("nodes", present === 1 ? "alone here" : `${present} nodes`);
    this.#say("links", linked === 0 ? "no links" : linked === 1 ? "1 link" : `${linked} links`);
    this.#say("keeps", usedBytes === 0 && offeredBytes === 0 ? "keeps nothing yet" : `keeps ${bytesWords(usedBytes)}`);
    this.#say("of", offeredBytes === 0 ? (usedBytes === 0 ? "" : "of its own") : `of ${shortBytes(offeredBytes)}`);
    this.#say("tasks", taskWords(self.tasksRunning, tasksRun));
    const now = performance.now();
    const seconds = (now - this.#before.atMs) / 1000;
    if (seconds * 1000 < REFRESH_MS * 0.9) return;
    const rate = (direction: "in" | "out"): string =>
      `${bytesWords((model.bytes[direction] - this.#before[direction]) / seconds)}/s`;
    this.#say("traffic", `↓ ${rate("in")} ↑ ${rate("out")}`);
    this.#before = { ...model.bytes, atMs: now };
  }

  /** How the page came; empty if it came over no network. */
  #protection(): void {
    const how = protection();
    if (how === "here" || this.#spans.has("protection")) return;
    this.#say("protection", how === "https" ? "by https" : "unprotected (http)");
    this.#span("protection").title =
      how === "https"
        ? "The page came by https: nobody in between could have changed it."
        : "The page came by plain http: whoever runs the network in between could have changed it. This tab stores nothing on this device.";
  }

  /** Short, because there are other texts beside it; its title, and `peers`, have the whole text. */
  #clock(notice: string | undefined): void {
    if (notice === undefined && !this.#spans.has("clock")) return;
    this.#say("clock", notice === undefined ? "" : "this device's clock is wrong");
    this.#span("clock").title = notice ?? "";
  }

  #say(what: string, words: string): void {
    setText(this.#span(what), words);
  }

  #span(what: string): HTMLSpanElement {
    let span = this.#spans.get(what);
    if (span === undefined) {
      span = document.createElement("span");
      span.className = what;
      this.#spans.set(what, span);
      this.#facts.append(span);
    }
    return span;
  }
}

function taskWords(running: number, run: number): string {
  const tasks = `${run} ${run === 1 ? "task" : "tasks"} done`;
  return running > 0 ? `${tasks}, ${running} running` : tasks;
}
