/** One node in the picture: its mark, its name, and, while it computes, a glow with the number of tasks. */
import { colourOf } from "../../core/net/identity/names.ts";
import { set, setText, svg } from "./dom.ts";
import { circlePath, squarePath, starPath } from "./shapes.ts";
import type { Label, Point } from "./swarm-layout.ts";
import { coresWords, statusWords, type NodeFacts } from "./swarm-model.ts";

/** The approximate width of a label's letter; measuring would cost a layout each frame. */
const LETTER_PX = 6.6;

export class NodeMark {
  readonly element: SVGGElement;
  readonly #glow: SVGCircleElement = svg("circle", { class: "glow" });
  readonly #shape: SVGPathElement = svg("path", { class: "shape" });
  readonly #count: SVGTextElement = svg("text", { class: "count" });
  readonly #label: SVGTextElement = svg("text", { class: "label" });
  readonly #title: SVGTitleElement = svg("title");
  readonly #outline: (radius: number) => string;
  #radius = 0;

  constructor(node: NodeFacts, onSelect: () => void) {
    this.element = svg("g");
    this.element.append(this.#title, this.#glow, this.#shape, this.#count, this.#label);
    const colour = colourOf(node.peer);
    this.element.style.setProperty("--colour", `light-dark(${colour.light.hex}, ${colour.dark.hex})`);
    this.#outline = node.isSelf
      ? (radius) => starPath(Math.max(10, radius * 1.45))
      : node.kind === "tab"
        ? circlePath
        : squarePath;
    this.element.addEventListener("click", (event) => {
      event.stopPropagation();
      onSelect();
    });
  }

  update(node: NodeFacts, link: string): void {
    const busy = node.tasksRunning > 0;
    const state = statusWords(node);
    set(this.element, {
      class: ["node", node.status, busy ? "busy" : "", node.isSelf ? "self" : ""].filter(Boolean).join(" "),
    });
    setText(this.#count, busy ? String(node.tasksRunning) : "");
    setText(this.#label, node.isSelf ? `${node.name} (you)` : state === "" ? node.name : `${node.name}, ${state}`);
    const kind = node.kind === "tab" ? "tab" : "node";
    setText(this.#title, [node.name, kind, state, coresWords(node), link].filter(Boolean).join(" · "));
  }

  /** Where its name would be. `width` is the picture's, so that the name stays inside. */
  label(at: Point, radius: number, width: number): Label {
    const half = (LETTER_PX * (this.#label.textContent?.length ?? 0)) / 2 + 4;
    return { x: Math.max(half, Math.min(width - half, at.x)), y: at.y + radius * 1.6 + 13, half };
  }

  place(at: Point, radius: number, label: Label, isLabelled: boolean): void {
    set(this.element, { transform: `translate(${at.x} ${at.y})` });
    set(this.#label, { visibility: isLabelled ? "visible" : "hidden", x: Math.round(label.x - at.x) });
    if (radius === this.#radius) return;
    this.#radius = radius;
    set(this.#shape, { d: this.#outline(radius) });
    set(this.#glow, { r: radius * 1.8 });
    set(this.#label, { y: radius * 1.6 + 13 });
    set(this.#count, { visibility: radius < 7 ? "hidden" : "visible", "font-size": Math.round(radius * 1.05) });
  }

  remove(): void {
    this.element.remove();
  }
}
