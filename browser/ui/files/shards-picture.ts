/**
 * Where the shards of a file are: a row for each device in its colour, a cell for each stripe. A cell is full if the
 * device holds a shard, and hollow if not. It lights up when a shard arrives, whether copied, rebuilt or returned. The
 * picture is drawn only from what the nodes say that they hold.
 */
import type { Computer } from "../../../core/computer.ts";
import type { ContentStat } from "../../../core/disk/types.ts";
import { colourOf } from "../../../core/net/identity/names.ts";
import type { Member } from "../../../core/net/types.ts";
import { count } from "../../../core/shell/format.ts";
import { byId, setText, stillness } from "../dom.ts";

/** As many cells as can be told apart; in a long file each stands for several stripes. */
const COLUMNS_MAX = 40;
const CELLS_MAX = 1_600;
const FLASH_MS = 1_400;

interface DeviceRow {
  readonly element: HTMLDivElement;
  readonly name: HTMLSpanElement;
  readonly cells: HTMLElement[];
  /** For each cell, the stripes of which the device has held a shard. */
  held: number[];
}

export class ShardsPicture {
  readonly #computer: Computer;
  readonly #box = byId("shards", HTMLElement);
  readonly #rows = new Map<string, DeviceRow>();
  #shape = "";

  constructor(computer: Computer) {
    this.#computer = computer;
  }

  clear(): void {
    this.#rows.clear();
    this.#box.replaceChildren();
    this.#box.hidden = true;
    this.#shape = "";
  }

  show({ cid, shardHolders, code }: ContentStat): void {
    if (code === undefined) return this.clear();
    const holding = new Set(shardHolders.flat(2));
    const devices = new Set([...this.#rows.keys(), ...holding]);
    const columns = Math.min(shardHolders.length, COLUMNS_MAX, Math.max(1, Math.floor(CELLS_MAX / devices.size)));
    // Another content, or another code, is a new picture: only shards that arrive in this one light up.
    const shape = `${cid} ${code.k} ${code.n} ${columns}`;
    const isNew = shape !== this.#shape;
    if (isNew) this.clear();
    this.#shape = shape;
    this.#box.hidden = false;
    const stripesIn = Array.from({ length: columns }, () => 0);
    const held = new Map([...(isNew ? holding : devices)].map((device) => [device, stripesIn.map(() => 0)]));
    shardHolders.forEach((shards, stripe) => {
      const column = Math.floor((stripe * columns) / shardHolders.length);
      stripesIn[column] = (stripesIn[column] ?? 0) + 1;
      for (const device of new Set(shards.flat())) {
        const cells = held.get(device);
        if (cells !== undefined) cells[column] = (cells[column] ?? 0) + 1;
      }
    });
    for (const [device, cells] of held) this.#draw(device, cells, stripesIn, isNew);
    const there = shardHolders.reduce((sum, shards) => sum + shards.filter((of) => of.length > 0).length, 0);
    this.#box.ariaLabel =
      `${there} of ${count(shardHolders.length * (code.n + code.wholes), "shard")} are there: ` +
      `${count(shardHolders.length, "stripe")} on ${count(holding.size, "device")}`;
  }

  #draw(device: string, held: number[], stripesIn: readonly number[], isNew: boolean): void {
    let row = this.#rows.get(device);
    if (row === undefined) {
      row = newRow(stripesIn.length);
      this.#rows.set(device, row);
      this.#box.append(row.element);
    }
    const members = this.#computer.net.members().filter(({ record }) => record.device === device);
    const [shown] = [...members].sort((a, b) => Number(isThere(b)) - Number(isThere(a)));
    const isGone = !members.some(isThere);
    row.element.className = isGone ? "device gone" : "device";
    const colour = shown && colourOf(shown.record.peer);
    row.element.style.setProperty(
      "--colour",
      colour === undefined ? "var(--muted)" : `light-dark(${colour.light.hex}, ${colour.dark.hex})`,
    );
    setText(row.name, nameOf(shown, device));
    row.name.title = isGone ? "gone" : "";
    for (const [i, cell] of row.cells.entries()) {
      const part = (held[i] ?? 0) / Math.max(1, stripesIn[i] ?? 0);
      cell.className = part === 0 ? "" : "held";
      cell.style.setProperty("--part", `${Math.round(100 * part)}%`);
      if (!isNew && (held[i] ?? 0) > (row.held[i] ?? 0)) light(cell);
    }
    row.held = held;
  }
}

function newRow(columns: number): DeviceRow {
  const element = document.createElement("div");
  const name = document.createElement("span");
  const cells = Array.from({ length: columns }, () => document.createElement("i"));
  element.append(name, ...cells);
  element.style.setProperty("--columns", String(columns));
  return { element, name, cells, held: [] };
}

function isThere({ status }: Member): boolean {
  return status !== "gone";
}

function nameOf(member: Member | undefined, device: string): string {
  if (member === undefined) return device;
  return member.isSelf ? `${member.record.name} (you)` : member.record.name;
}

/** A shard has arrived. With reduced motion the light does not move, and lasts as long. */
function light(cell: HTMLElement): void {
  cell.animate([{ backgroundColor: "var(--accent)", boxShadow: "0 0 6px var(--accent)" }, {}], {
    duration: FLASH_MS,
    easing: stillness.matches ? "step-end" : "ease-out",
  });
}
