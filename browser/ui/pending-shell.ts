/** A shell before there is one: the prompt is there at once, and a line that comes early waits for the computer. */
import { utf8 } from "../../core/base/bytes.ts";
import { messageOf } from "../../core/base/errors.ts";
import { abortable } from "../../core/ports/clock.ts";
import { harmless } from "../../core/shell/harmless.ts";
import type { LineRunner } from "../../core/shell/interactive.ts";
import type { Io } from "../../core/shell/types.ts";

const INTERRUPTED = 130;

export class PendingShell implements LineRunner {
  #ready = awaited();
  #shell: LineRunner | undefined;

  become(shell: LineRunner): void {
    this.#shell = shell;
    this.#ready.resolve(shell);
  }

  /** There will be none; `error` says why, for people. */
  fail(error: unknown): void {
    this.#ready.reject(error);
  }

  /** There may be one after all, so lines wait again. */
  hope(): void {
    this.#ready = awaited();
  }

  async run(...[line, io, { signal }]: Parameters<LineRunner["run"]>): Promise<number> {
    if (this.#shell !== undefined) return await runIn(this.#shell, line, io, signal);
    let shell: LineRunner;
    try {
      const waiting = setTimeout(() => void io.stderr.write(utf8("Joining the swarm…\n")).catch(() => {}), 300);
      shell = await abortable(signal, this.#ready.promise).finally(() => clearTimeout(waiting));
    } catch (error) {
      if (signal.aborted) return INTERRUPTED;
      await io.stderr.write(utf8(`${harmless(messageOf(error))}\n`));
      return 1;
    }
    return await runIn(shell, line, io, signal);
  }

  /** The prompt does not wait for a computer: the start-up files run before the first line instead. */
  startUp(): Promise<void> {
    return Promise.resolve();
  }

  signal(...[name]: Parameters<LineRunner["signal"]>): boolean {
    return this.#shell?.signal(name) ?? false;
  }

  takeReports(): string {
    return this.#shell?.takeReports() ?? "";
  }

  async prompt(...[name]: Parameters<LineRunner["prompt"]>): Promise<string | undefined> {
    return await this.#shell?.prompt(name);
  }

  get isOver(): boolean {
    return this.#shell?.isOver ?? false;
  }

  async complete(...[line, cursor, options]: Parameters<LineRunner["complete"]>): ReturnType<LineRunner["complete"]> {
    return (await this.#shell?.complete(line, cursor, options)) ?? { from: cursor, quote: "", candidates: [] };
  }

  isIncomplete(line: string): boolean {
    return this.#shell?.isIncomplete(line) ?? false;
  }

  marks(...[line, cursor, onChange]: Parameters<LineRunner["marks"]>): ReturnType<LineRunner["marks"]> {
    return this.#shell?.marks(line, cursor, onChange) ?? [];
  }
}

function awaited(): PromiseWithResolvers<LineRunner> {
  const ready = Promise.withResolvers<LineRunner>();
  // Perhaps nobody waits when it fails; whoever runs a line is told.
  ready.promise.catch(() => {});
  return ready;
}

async function runIn(shell: LineRunner, ...[line, io, signal]: [string, Io, AbortSignal]): Promise<number> {
  await shell.startUp(io, { signal });
  return await shell.run(line, io, { signal });
}
