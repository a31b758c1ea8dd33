/**
 * The transfers under way, in or out: a bar, bytes, rate and time left, and a button to stop. One line each above the
 * list.
 */
import { isStarfishError, messageOf, StarfishError } from "../../../core/base/errors.ts";
import { transferWords } from "../../../core/shell/files/progress.ts";
import { byId, setText } from "../dom.ts";

/** Often enough to look alive. */
const REDRAW_MS = 150;

export class Transfer {
  readonly #element = document.createElement("li");
  readonly #title = document.createElement("b");
  readonly #bar = document.createElement("progress");
  readonly #words = document.createElement("span");
  readonly #button = document.createElement("button");
  readonly #stop = new AbortController();
  #beganMs = performance.now();
  #doneBytes = 0;
  #totalBytes = 0;
  /** A text in place of rate and time left. */
  #note: string | undefined;
  /** Bytes that were there at the beginning, which took no time. */
  #beforeBytes = 0;
  #drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(title: string, list: HTMLElement = byId("transfers", HTMLUListElement)) {
    this.#element.append(this.#title, this.#bar, this.#words, this.#button);
    this.#button.type = "button";
    this.#button.textContent = "Cancel";
    this.#button.addEventListener("click", () =>
      this.#stop.abort(new StarfishError("cancelled", "Cancelled in the page")),
    );
    this.begin(title, 0);
    list.append(this.#element);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Starts another stage. */
  begin(title: string, totalBytes: number): void {
    this.#beganMs = performance.now();
    this.#doneBytes = 0;
    this.#beforeBytes = 0;
    this.#totalBytes = totalBytes;
    this.#note = undefined;
    setText(this.#title, title);
    this.#bar.setAttribute("aria-label", title);
    this.#button.setAttribute("aria-label", `Cancel: ${title}`);
    this.#draw();
  }

  add(bytes: number): void {
    this.#doneBytes += bytes;
    this.#drawing ??= setTimeout(() => this.#draw(), REDRAW_MS);
  }

  /** Sets the progress in all, and how much of it was there already. */
  at(doneBytes: number, beforeBytes: number): void {
    this.#doneBytes = doneBytes;
    this.#beforeBytes = beforeBytes;
    this.#drawing ??= setTimeout(() => this.#draw(), REDRAW_MS);
  }

  /** Sets what it waits for; undefined for nothing. */
  note(words: string | undefined): void {
    this.#note = words;
    this.#draw();
  }

  /** Passes the chunks through and counts them. */
  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      yield chunk;
      this.add(chunk.length);
    }
  }

  /** Runs it to its end, then removes the line. After a failure the line stays and says why, until it is closed. */
  async run(work: (transfer: Transfer) => Promise<void>): Promise<void> {
    try {
      await work(this);
      this.#remove();
    } catch (error) {
      if (this.#stop.signal.aborted || isStarfishError(error, "cancelled")) this.#remove();
      else this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#element.className = "failed";
    this.#element.setAttribute("role", "alert");
    this.#bar.remove();
    clearTimeout(this.#drawing);
    setText(this.#words, messageOf(error));
    this.#button.textContent = "Close";
    this.#button.removeAttribute("aria-label");
    this.#button.addEventListener("click", () => this.#remove());
  }

  #remove(): void {
    clearTimeout(this.#drawing);
    this.#element.remove();
  }

  #draw(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    this.#bar.max = Math.max(1, this.#totalBytes);
    this.#bar.value = this.#doneBytes;
    const [done, total] = [this.#doneBytes - this.#beforeBytes, this.#totalBytes - this.#beforeBytes];
    setText(this.#words, this.#note ?? transferWords(done, total, performance.now() - this.#beganMs));
  }
}
