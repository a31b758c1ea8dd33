/** The facts of the picture as a table, for people who can't see it or want exact values. */
import { colourOf } from "../../core/net/identity/names.ts";
import type { PeerId } from "../../core/ports/network.ts";
import { byId, setText } from "./dom.ts";
import { coresWords, linkWords, statusWords, type NodeFacts, type SwarmFacts } from "./swarm-model.ts";

export class SwarmTable {
  readonly #body = byId("rows", HTMLTableSectionElement);
  readonly #rows = new Map<PeerId, HTMLTableRowElement>();
  readonly #onSelect: (peer: PeerId) => void;

  constructor(onSelect: (peer: PeerId) => void) {
    this.#onSelect = onSelect;
  }

  select(peer: PeerId | undefined): void {
    for (const [other, row] of this.#rows)
      row.querySelector("button")?.setAttribute("aria-pressed", String(other === peer));
  }

  /** The node of the row at that position. */
  nodeAt({ target }: Event, { nodes }: SwarmFacts): NodeFacts | undefined {
    const row = target instanceof Element ? target.closest("tr") : null;
    return nodes.find(({ peer }) => row !== null && this.#rows.get(peer) === row);
  }

  /** Rows are kept and moved, so that a reader's place in the table survives. */
  update({ nodes }: SwarmFacts): void {
    const names = new Map(nodes.map((node) => [node.peer, node.name]));
    const present = new Set(nodes.map((node) => node.peer));
    for (const [peer, row] of this.#rows) {
      if (present.has(peer)) continue;
      row.remove();
      this.#rows.delete(peer);
    }
    nodes.forEach((node, index) => {
      let row = this.#rows.get(node.peer);
      if (row === undefined) {
        row = newRow(node.peer, () => this.#onSelect(node.peer));
        this.#rows.set(node.peer, row);
      }
      fill(
        row,
        node,
        linkWords(node, (peer) => names.get(peer) ?? "another node"),
      );
      if (this.#body.children[index] !== row) this.#body.insertBefore(row, this.#body.children[index] ?? null);
    });
  }
}

function newRow(peer: PeerId, select: () => void): HTMLTableRowElement {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  const button = document.createElement("button");
  button.type = "button";
  button.dataset["face"] = peer;
  button.addEventListener("click", select);
  name.append(button);
  const colour = colourOf(peer);
  row.style.setProperty("--colour", `light-dark(${colour.light.hex}, ${colour.dark.hex})`);
  row.append(name, ...Array.from({ length: 4 }, () => document.createElement("td")));
  return row;
}

function fill(row: HTMLTableRowElement, node: NodeFacts, link: string): void {
  const state = statusWords(node);
  const roundTrip = node.link?.roundTripMs;
  const cells = [
    node.isSelf ? `${node.name} (you)` : state === "" ? node.name : `${node.name}, ${state}`,
    node.kind === "tab" ? "tab" : "node",
    coresWords(node),
    link,
    roundTrip === undefined ? "" : `${roundTrip < 10 ? roundTrip.toFixed(1) : Math.round(roundTrip)} ms`,
  ];
  row.className = node.status;
  cells.forEach((text, index) => {
    const cell = index === 0 ? row.querySelector("button") : row.children[index];
    if (cell) setText(cell, text);
  });
}
