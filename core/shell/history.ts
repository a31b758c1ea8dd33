/** The lines that were run, newest last, and a place in them while somebody leafs through. */

/** Enough for days of work; at a hundred characters a line it is 100 kB. */
export const HISTORY_LINES_MAX = 1_000;

export class History {
  readonly #lines: string[];
  #place: number;
  /** What was being typed when leafing began. */
  #draft = "";

  constructor(lines: readonly string[] = []) {
    this.#lines = lines.slice(-HISTORY_LINES_MAX);
    this.#place = this.#lines.length;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Remembers a line, unless it is blank or the same as the last one, and ends leafing. */
  add(line: string): void {
    if (line.trim() !== "" && line !== this.#lines.at(-1)) this.#lines.push(line);
    if (this.#lines.length > HISTORY_LINES_MAX) this.#lines.shift();
    this.rewind();
  }

  rewind(): void {
    this.#place = this.#lines.length;
    this.#draft = "";
  }

  /** The line before or after, or undefined at the ends. */
  leaf(direction: -1 | 1, current: string): string | undefined {
    const place = this.#place + direction;
    if (place < 0 || place > this.#lines.length) return undefined;
    if (this.#place === this.#lines.length) this.#draft = current;
    this.#place = place;
    return this.#lines[place] ?? this.#draft;
  }
}
