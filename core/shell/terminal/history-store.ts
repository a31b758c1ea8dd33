/** The history of a node: kept in the node's store, shared by all its terminals. */
import { text, utf8 } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import type { Store } from "../../ports/store.ts";
import { HistoryLines } from "../history.ts";

type Program = "shell" | "sql";

const histories = new WeakMap<Store, Map<Program, HistoryLines>>();

/** The same object for all callers with this store. The stored lines may be added a little later. */
export function historyOf(store: Store, program: Program = "shell"): HistoryLines {
  const ofStore = histories.get(store) ?? new Map<Program, HistoryLines>();
  histories.set(store, ofStore);
  const known = ofStore.get(program);
  if (known !== undefined) return known;
  const lines = new HistoryLines();
  ofStore.set(program, lines);
  lines.ready = keep(lines, store, `${program}.history`);
  return lines;
}

async function keep(lines: HistoryLines, store: Store, key: string): Promise<void> {
  const kept = await load(store, key);
  lines.addBefore(kept);
  let isWriting = false;
  let isStale = false;
  const write = async (): Promise<void> => {
    isStale = true;
    if (isWriting) return;
    isWriting = true;
    // One write at a time; later changes are written by the next.
    while (isStale) {
      isStale = false;
      await store.set(key, utf8(JSON.stringify(lines.all))).catch(ignored);
    }
    isWriting = false;
  };
  lines.onChange = () => void write();
  // Lines that were run while the stored ones were being read.
  if (lines.all.length > kept.length) await write();
}

async function load(store: Store, key: string): Promise<string[]> {
  try {
    const kept = await store.get(key);
    const lines: unknown = kept === undefined ? [] : JSON.parse(text(kept));
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string") : [];
  } catch (error) {
    // A history that can't be read must not prevent the prompt.
    if (error instanceof SyntaxError || isStarfishError(error)) return [];
    throw error;
  }
}

/** A full or closed store loses only the history. */
function ignored(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}
