/**
 * Traps: what a shell runs when a signal arrives, when it ends (EXIT), when a command fails (ERR), and before each
 * command (DEBUG).
 */
import { ExitJump, ReturnJump } from "./faults.ts";
import type { Frame } from "./frame.ts";

export async function runTrap(name: "ERR" | "DEBUG" | "RETURN", frame: Frame): Promise<void> {
  const { state } = frame;
  const action = state.traps.get(name);
  if (action === undefined || action === "" || state.runningTraps.has(name)) return;
  await runAction(name, action, frame);
}

/**
 * A function has the traps of its caller only if it is traced; those that it sets itself stay after it. Returns what
 * gives the caller its traps back.
 */
export function hideTraps(isTraced: boolean, { state }: Frame): () => void {
  const { traps } = state;
  const hidden = new Map<string, string>();
  for (const name of ["ERR", "DEBUG", "RETURN"]) {
    const action = traps.get(name);
    if (action === undefined || (name === "ERR" ? state.option("errtrace") : isTraced)) continue;
    hidden.set(name, action);
    traps.delete(name);
  }
  return () => {
    for (const [name, action] of hidden) if (!traps.has(name)) traps.set(name, action);
  };
}

/** Runs the text of a trap. The status is restored afterwards, unless the trap leaves the shell. */
export async function runAction(name: string, action: string, frame: Frame): Promise<void> {
  const { state } = frame;
  const { status, line, pipeStatus } = state;
  const outer = state.runningTraps;
  // The trap's own commands do not trigger it again; they may trigger other traps.
  state.runningTraps = new Set([...outer, name]);
  try {
    await frame.interpreter.runText(action, frame, { firstLine: line });
  } catch (error) {
    if (!(error instanceof ReturnJump)) throw error;
    if (state.returnDepth > 0) throw error;
  } finally {
    state.runningTraps = outer;
    state.line = line;
  }
  state.status = status;
  state.pipeStatus = pipeStatus;
}

/** Runs the EXIT trap, once. Resolves to the status with which the shell ends. */
export async function runExitTrap(status: number, frame: Frame): Promise<number> {
  const { state } = frame;
  const action = state.traps.get("EXIT");
  state.traps.delete("EXIT");
  state.status = status;
  if (action === undefined || action === "") return status;
  try {
    state.conditionDepth = 0;
    await frame.interpreter.runText(action, frame, { firstLine: 1 });
  } catch (error) {
    if (error instanceof ExitJump) return error.isSyntax ? status : error.status;
    if (error instanceof ReturnJump) return status;
    throw error;
  }
  return status;
}
