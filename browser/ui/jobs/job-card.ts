/**
 * One job in the view of jobs: its progress, a strip of its tasks in the colours of the nodes that did them, and what
 * can be done with it.
 */
import type { Computer } from "../../../core/computer.ts";
import type { JobState } from "../../../core/jobs/types.ts";
import { contentBytes } from "../../../core/jobs/spec.ts";
import { colourOf } from "../../../core/net/identity/names.ts";
import type { PeerId } from "../../../core/ports/network.ts";
import { bytesWords, count, duration } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { type JobFacts, type NodeFacts, stripOf } from "../../../core/shell/jobs/facts.ts";
import { letterOf, signOf } from "../../../core/shell/jobs/signs.ts";
import { verifyWords } from "../../../core/shell/jobs/verify-words.ts";
import { leftWords, percent, rateWords, STATES, troubleWords } from "../../../core/shell/jobs/words.ts";
import { setText } from "../dom.ts";

/** As many as an outcome remembers. In rows of sixteen they fit a phone, with a letter in each. */
const CELLS = 64;
/** Nodes that are named on a card; the table and `job ID` have all. */
const NODES_MAX = 12;

export interface CardActions {
  cancel(): void;
  open(): void;
}

export class JobCard {
  readonly element: HTMLLIElement = document.createElement("li");
  readonly #title = document.createElement("h3");
  readonly #facts = document.createElement("p");
  readonly #strip = document.createElement("div");
  readonly #nodes = document.createElement("ul");
  readonly #trouble = document.createElement("p");
  readonly #buttons = document.createElement("div");
  readonly #actions: CardActions;
  #isAsking = false;
  #shown = "";

  constructor(actions: CardActions) {
    this.#actions = actions;
    this.element.className = "job";
    this.#facts.className = "facts";
    this.#strip.className = "strip";
    this.#strip.setAttribute("role", "img");
    this.#nodes.className = "nodes";
    this.#trouble.className = "trouble";
    this.#buttons.className = "buttons";
    this.element.append(this.#title, this.#buttons, this.#facts, this.#strip, this.#nodes, this.#trouble);
  }

  update(facts: JobFacts, state: JobState, computer: Pick<Computer, "net">): void {
    this.element.dataset["state"] = facts.state;
    this.element.dataset["job"] = facts.id;
    setText(this.#title, oneLine(facts.title));
    setText(this.#facts, factWords(facts, state));
    this.#drawStrip(facts, state);
    this.#drawNodes(facts.nodes);
    const failures = facts.failures
      .slice(0, 3)
      .map(({ task, code, message }) => `Task ${task}: ${code}: ${oneLine(message)}`);
    const verified = verifyWords(state, computer);
    setText(this.#trouble, [troubleWords(facts), ...failures, ...verified].filter(Boolean).join(". "));
    this.#trouble.hidden = this.#trouble.textContent === "";
    this.#trouble.classList.toggle("failed", facts.failures.length + state.named.length > 0);
    this.#drawButtons(facts);
  }

  #drawStrip(facts: JobFacts, state: JobState): void {
    const cells = stripOf(state, CELLS);
    while (this.#strip.children.length > cells.length) this.#strip.lastElementChild?.remove();
    cells.forEach((cell, i) => {
      const there = this.#strip.children[i];
      const element = there instanceof HTMLElement ? there : this.#strip.appendChild(document.createElement("span"));
      const { sign, by, words } = signOf(cell, facts.nodes);
      setText(element, sign === "." ? "" : sign);
      const kind = hasColour(cell.done, by) ? "done" : (KINDS[sign] ?? "part");
      if (element.className !== kind) element.className = kind;
      element.title = `${taskWords(cell.from, cell.to)}: ${words}`;
      colour(element, by);
    });
    const words = `${facts.done} of ${count(facts.total, "task")} done, ${facts.nodes.map(({ name, done }) => `${done} by ${name}`).join(", ")}`;
    this.#strip.setAttribute("aria-label", words);
  }

  #drawNodes(nodes: readonly NodeFacts[]): void {
    const shown = nodes.slice(0, NODES_MAX);
    while (this.#nodes.children.length > shown.length) this.#nodes.lastElementChild?.remove();
    shown.forEach(({ peer, name, done, running }, i) => {
      const there = this.#nodes.children[i];
      const item = there instanceof HTMLElement ? there : newNode(this.#nodes);
      colour(item, peer);
      const [letter, words] = item.children;
      if (letter !== undefined) setText(letter, letterOf(i));
      const rest =
        i === NODES_MAX - 1 && nodes.length > NODES_MAX ? ` and ${count(nodes.length - NODES_MAX, "other")}` : "";
      if (words !== undefined)
        setText(words, `${oneLine(name)} ${done}${running > 0 ? ` + ${running} running` : ""}${rest}`);
    });
  }

  /** Rebuilt only when they change, so that the keyboard focus stays. */
  #drawButtons({ state, isOwn, owner, id }: JobFacts): void {
    if (state !== "running") this.#isAsking = false;
    const wanted = `${state} ${this.#isAsking} ${owner}`;
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    if (state === "done") return this.#buttons.replaceChildren(button("Open result", () => this.#actions.open()));
    if (state !== "running") return this.#buttons.replaceChildren();
    if (!this.#isAsking) {
      const cancel = button("Cancel", () => {
        if (isOwn) return this.#actions.cancel();
        this.#ask(true);
      });
      cancel.setAttribute("aria-label", `Cancel job ${id}`);
      return this.#buttons.replaceChildren(cancel);
    }
    const asked = document.createElement("span");
    asked.textContent = `End ${oneLine(owner)}'s job for everybody?`;
    const yes = button("End it", () => this.#actions.cancel(), "accent");
    this.#buttons.replaceChildren(
      asked,
      yes,
      button("Keep it", () => this.#ask(false)),
    );
    yes.focus();
  }

  #ask(isAsking: boolean): void {
    this.#isAsking = isAsking;
    this.#shown = "";
    const { dataset } = this.element;
    dataset["asking"] = String(isAsking);
    this.element.dispatchEvent(new CustomEvent("job-asks"));
    if (!isAsking) this.#buttons.querySelector("button")?.focus();
  }
}

const KINDS: Readonly<Record<string, string>> = { "+": "running", "=": "copies", "!": "failed", ".": "open" };

function hasColour(done: number, by: PeerId | undefined): boolean {
  return by !== undefined && done >= 1;
}

function taskWords(from: number, to: number): string {
  return to - from === 1 ? `task ${from}` : `tasks ${from} to ${to - 1}`;
}

function factWords(facts: JobFacts, { outcome }: JobState): string {
  const { done, total, owner, isOwn, ratePerSecond, remainingMs, elapsedMs, state } = facts;
  const parts = [isOwn ? "by you" : `by ${oneLine(owner)}`, `${done} of ${total} (${percent(facts)})`];
  if (state === "running") parts.push(rateWords(ratePerSecond), leftWords(remainingMs));
  else parts.push(`${STATES[state]} after ${duration(elapsedMs)}`);
  if (outcome?.is === "done") parts.push(bytesWords(contentBytes(outcome.result)));
  return parts.filter(Boolean).join(" · ");
}

function newNode(list: HTMLElement): HTMLElement {
  const item = list.appendChild(document.createElement("li"));
  item.append(document.createElement("b"), document.createElement("span"));
  return item;
}

function colour(element: HTMLElement, peer: PeerId | undefined): void {
  if (element.dataset["peer"] === (peer ?? "")) return;
  element.dataset["peer"] = peer ?? "";
  if (peer === undefined) return void element.style.removeProperty("--colour");
  const { light, dark } = colourOf(peer);
  element.style.setProperty("--colour", `light-dark(${light.hex}, ${dark.hex})`);
}

function button(words: string, act: () => void, className = ""): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.className = className;
  made.addEventListener("click", act);
  return made;
}
