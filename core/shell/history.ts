/**
 * The lines that were run, newest last, shared by all terminals of a node; and a cursor in them for somebody who leafs
 * through.
 */

/** Enough for months of work. With the bound below, it limits what is read when a node starts. */
export const HISTORY_LINES_MAX = 1_000;
/** UTF-16 units in all: a few pasted scripts must not push everything else out of a small store. */
const HISTORY_LENGTH_MAX: number = 256 * 1024;

/** What is remembered. */
export class HistoryLines {
  #lines: string[];
  #length: number;
  onChange: (() => void) | undefined;
  /** Resolves when the stored lines have been added. */
  ready: Promise<void> = Promise.resolve();

  constructor(lines: readonly string[] = []) {
    this.#lines = [...lines];
    this.#length = lines.reduce((sum, line) => sum + line.length, 0);
    this.#trim();
  }

  get all(): readonly string[] {
    return this.#lines;
  }

  /** Adds a line, unless it is blank, begins with a blank, is the same as the last, or is too long. */
  add(line: string): void {
    if (line.trim() === "" || line.startsWith(" ") || line === this.#lines.at(-1)) return;
    if (line.length > HISTORY_LENGTH_MAX / 4) return;
    this.#lines.push(line);
    this.#length += line.length;
    this.#trim();
    this.onChange?.();
  }

  /** Adds earlier lines, which were not known yet. */
  addBefore(lines: readonly string[]): void {
    this.#lines = [...lines, ...this.#lines];
    this.#length = this.#lines.reduce((sum, line) => sum + line.length, 0);
    this.#trim();
  }

  clear(): void {
    this.#lines = [];
    this.#length = 0;
    this.onChange?.();
  }

  #trim(): void {
    let extra = 0;
    while (this.#lines.length - extra > HISTORY_LINES_MAX || this.#length > HISTORY_LENGTH_MAX)
      this.#length -= this.#lines[extra++]?.length ?? 0;
    if (extra > 0) this.#lines.splice(0, extra);
  }
}

export class History {
  #shared: HistoryLines;
  /** The lines as they were when leafing began. */
  #leafed: readonly string[] | undefined;
  #place = 0;
  /** The line that was being typed when leafing began. */
  #draft = "";

  constructor(lines: readonly string[] | HistoryLines = []) {
    this.#shared = lines instanceof HistoryLines ? lines : new HistoryLines(lines);
  }

  get lines(): readonly string[] {
    return this.#shared.all;
  }

  /** From now on uses these shared lines, and adds to them what it has so far. */
  join(shared: HistoryLines): void {
    for (const line of this.#shared.all) shared.add(line);
    this.#shared = shared;
    this.rewind();
  }

  /** Adds a line, and ends leafing. */
  add(line: string): void {
    this.#shared.add(line);
    this.rewind();
  }

  rewind(): void {
    this.#leafed = undefined;
    this.#draft = "";
  }

  /** The line before or after; undefined at the ends. */
  leaf(direction: -1 | 1, current: string): string | undefined {
    if (this.#leafed === undefined) {
      this.#leafed = [...this.#shared.all];
      this.#place = this.#leafed.length;
    }
    const place = this.#place + direction;
    if (place < 0 || place > this.#leafed.length) return undefined;
    if (this.#place === this.#leafed.length) this.#draft = current;
    this.#place = place;
    return this.#leafed[place] ?? this.#draft;
  }

  /** The newest line that begins with this and is longer. */
  beginningWith(beginning: string): string | undefined {
    return this.#shared.all.findLast((line) => line.length > beginning.length && line.startsWith(beginning));
  }
}
