/**
 * The rows of a directory: name with writer and time, size, safety, and a button to delete. Rows are kept from one
 * drawing to the next, so that a reader's place survives. The arrow keys go from row to row.
 */
import type { Computer } from "../../../core/computer.ts";
import type { FileInfo } from "../../../core/disk/types.ts";
import { colourOf } from "../../../core/net/identity/names.ts";
import { isOnOneMachine, safetyWords, type Standing } from "../../../core/shell/files/words.ts";
import { bytesWords } from "../../../core/shell/format.ts";
import { Writers } from "../../../core/shell/mem/writers.ts";
import { byId, setText } from "../dom.ts";
import { SafetyWatch } from "./safety-watch.ts";
import { nameOf, safetyShort, whenWords } from "./words.ts";

export interface RowEvents {
  readonly open: (info: FileInfo) => void;
  readonly remove: (info: FileInfo) => void;
  readonly up: () => void;
}

interface Row {
  readonly element: HTMLTableRowElement;
  readonly name: HTMLButtonElement;
  readonly about: HTMLElement;
  readonly size: HTMLTableCellElement;
  readonly safety: HTMLTableCellElement;
  readonly remove: HTMLButtonElement;
  info: FileInfo;
  isSeen: boolean;
}

export class FileRows {
  readonly #events: RowEvents;
  readonly #writers: Writers;
  readonly #safety: SafetyWatch;
  readonly #body = byId("files-rows", HTMLTableSectionElement);
  readonly #rows = new Map<string, Row>();
  readonly #rowOf = new WeakMap<Element, Row>();
  readonly #inSight: IntersectionObserver;
  /** Path of the row that the Tab key reaches. */
  #reached: string | undefined;

  constructor(computer: Computer, events: RowEvents) {
    this.#events = events;
    this.#writers = new Writers(computer);
    this.#safety = new SafetyWatch(computer, (path, standing) => this.#tell(path, standing));
    this.#inSight = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) this.#see(target, isIntersecting);
    });
    this.#body.addEventListener("keydown", (event) => this.#key(event));
  }

  show(infos: readonly FileInfo[], selected: string | undefined): void {
    const shown = new Set(infos.map(({ path }) => path));
    for (const [path, row] of this.#rows) if (!shown.has(path)) this.#drop(path, row);
    infos.forEach((info, index) => {
      let row = this.#rows.get(info.path);
      if (row !== undefined && row.info.kind !== info.kind) {
        this.#drop(info.path, row);
        row = undefined;
      }
      if (row === undefined) {
        row = this.#newRow(info);
        this.#rows.set(info.path, row);
        this.#inSight.observe(row.element);
      }
      const there = this.#body.children[index];
      if (there !== row.element) this.#body.insertBefore(row.element, there ?? null);
      this.#fill(row, info, selected);
    });
    if (this.#reached === undefined || !shown.has(this.#reached)) this.#reach(infos[0]?.path);
  }

  focus(path: string): void {
    this.#rows.get(path)?.name.focus();
  }

  #drop(path: string, { element }: Row): void {
    this.#inSight.unobserve(element);
    this.#safety.unsee(path);
    element.remove();
    this.#rows.delete(path);
  }

  #newRow(info: FileInfo): Row {
    const cell = (): HTMLTableCellElement => document.createElement("td");
    const button = (): HTMLButtonElement => Object.assign(document.createElement("button"), { type: "button" });
    const [name, remove] = [button(), button()];
    const row: Row = {
      element: document.createElement("tr"),
      name,
      about: document.createElement("small"),
      size: cell(),
      safety: cell(),
      remove,
      info,
      isSeen: false,
    };
    this.#rowOf.set(row.element, row);
    const heading = document.createElement("th");
    heading.scope = "row";
    const last = cell();
    name.tabIndex = remove.tabIndex = -1;
    heading.append(name, row.about);
    remove.textContent = "✕";
    last.append(remove);
    row.element.append(heading, row.size, row.safety, last);
    name.addEventListener("click", () => this.#events.open(row.info));
    name.addEventListener("focus", () => this.#reach(row.info.path));
    remove.addEventListener("click", () => this.#events.remove(row.info));
    return row;
  }

  #fill(row: Row, info: FileInfo, selected: string | undefined): void {
    row.info = info;
    const isFile = info.kind === "file";
    const name = nameOf(info);
    setText(row.name, isFile ? name : `${name}/`);
    row.name.title = name;
    if (isFile) row.name.ariaExpanded = String(info.path === selected);
    row.element.className = [info.kind, info.isConflict ? "conflict" : "", info.path === selected ? "selected" : ""]
      .filter(Boolean)
      .join(" ");
    const member = isFile ? this.#writers.find(info.writer) : undefined;
    const by = member === undefined ? "somebody who left" : member.isSelf ? "you" : member.record.name;
    const notes = [info.isConflict ? "conflict copy" : "", isFile ? by : "", whenWords(info.modifiedAtMs)];
    setText(row.about, notes.filter(Boolean).join(" · "));
    const colour = member && colourOf(member.record.peer);
    row.element.style.setProperty(
      "--colour",
      colour === undefined ? "var(--muted)" : `light-dark(${colour.light.hex}, ${colour.dark.hex})`,
    );
    setText(row.size, isFile ? bytesWords(info.sizeBytes) : "");
    row.remove.ariaLabel = `Delete ${name}`;
    if (isFile && row.isSeen) this.#safety.see(info);
    const standing = this.#safety.known(info);
    if (standing !== undefined) this.#tell(info.path, standing);
    else setText(row.safety, isFile ? "…" : "");
  }

  #see(element: Element, isSeen: boolean): void {
    const row = this.#rowOf.get(element);
    if (row === undefined || !element.isConnected) return;
    row.isSeen = isSeen;
    if (isSeen && row.info.kind === "file") this.#safety.see(row.info);
    else this.#safety.unsee(row.info.path);
  }

  #tell(path: string, standing: Standing): void {
    const row = this.#rows.get(path);
    if (row === undefined) return;
    setText(row.safety, safetyShort(standing));
    row.safety.className = isOnOneMachine(standing) ? "here" : standing.safety;
    row.safety.title = safetyWords(standing);
  }

  #reach(path: string | undefined): void {
    const before = this.#reached === undefined ? undefined : this.#rows.get(this.#reached);
    const row = path === undefined ? undefined : this.#rows.get(path);
    if (before !== undefined) before.name.tabIndex = before.remove.tabIndex = -1;
    if (row !== undefined) row.name.tabIndex = row.remove.tabIndex = 0;
    this.#reached = path;
  }

  #key(event: KeyboardEvent): void {
    const row = event.target instanceof Element ? event.target.closest("tr") : null;
    if (row === null) return;
    const to = {
      ArrowDown: row.nextElementSibling,
      ArrowUp: row.previousElementSibling,
      Home: this.#body.firstElementChild,
      End: this.#body.lastElementChild,
    }[event.key];
    if (to instanceof HTMLElement) to.querySelector("button")?.focus();
    else if (event.key === "Delete") row.querySelector<HTMLButtonElement>("td button")?.click();
    else if (event.key === "Backspace") this.#events.up();
    else return;
    event.preventDefault();
  }
}
