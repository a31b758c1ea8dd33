/**
 * The machine that this tab runs on. A page can't know it, but the node that serves the page from the same machine
 * does, and tells it (node/machine.ts). If the page came from elsewhere, the tabs of one browser count as one machine.
 */
import type { SwarmId } from "../core/net/types.ts";
import { readSetting, writeSetting } from "./settings.ts";

/**
 * A node that is gone refuses at once. A busy node answers late, and a tab that did not wait would count as a machine
 * of its own.
 */
const ANSWER_MS = 10_000;

/** The answer is remembered for when that node is gone. `root` is the folder of the node's page. Never rejects. */
export async function machineOf(swarm: SwarmId, root: string): Promise<string | undefined> {
  if (!isLoopback(location.hostname)) return undefined;
  const [of, before] = (readSetting("machine") ?? "").split(" ");
  const id = await ask(swarm, root);
  if (id === undefined) return of === swarm ? before : undefined;
  writeSetting("machine", `${swarm} ${id}`);
  return id;
}

async function ask(swarm: SwarmId, root: string): Promise<string | undefined> {
  try {
    const url = new URL(`machine?swarm=${swarm}`, root);
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok ? (await answer.text()) || undefined : undefined;
  } catch {
    return undefined;
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
