/** The child's end of the connection to a runner: each message names a command, and is answered with its result. */

export interface Command {
  /** Counts from 1; an answer with the id 0 says that the process runs. */
  readonly id: number;
  readonly name: string;
  readonly args: unknown[];
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Serves until the runner is gone. */
export function serveCommands(commands: object): void {
  const byName = new Map<string, (...args: unknown[]) => Promise<unknown>>(Object.entries(commands));
  async function answer({ id, name, args }: Command): Promise<Answer> {
    try {
      return { id, result: await byName.get(name)?.(...args) };
    } catch (error) {
      return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }
  process.on("message", (command: Command) => {
    void answer(command).then((reply) => process.send?.(reply));
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ id: 0 } satisfies Answer);
}
