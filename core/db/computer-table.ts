/**
 * A part of the computer as a table that can be read. It shows the state at the time when a statement reads it. In
 * SQLite it is a temporary table of this node's index, which is filled before a statement that reads it runs.
 */
import type { Unsubscribe } from "../base/events.ts";
import type { SqlValue } from "./types.ts";

export interface ComputerTable {
  readonly name: ComputerTableName;
  /** The definitions of its columns, as CREATE TABLE has them between its parentheses. */
  readonly columns: string;
  /** Values in the order of the columns. */
  rows(): Iterable<readonly SqlValue[]>;
  /** Called when rows may have changed. */
  onChange(listener: () => void): Unsubscribe;
}

/** Names that no user's table may have, on any node. Names for future tables are reserved too. */
const NAMES = ["members", "files", "jobs", "processes", "mem", "mail"] as const;
type ComputerTableName = (typeof NAMES)[number];

const FOLDED: ReadonlySet<string> = new Set(NAMES);

/** `name` in lower case, as SQLite compares names. */
export function isOfComputer(name: string): boolean {
  return FOLDED.has(name);
}
