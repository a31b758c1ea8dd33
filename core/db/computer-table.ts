/**
 * A part of the computer as a table: there to be read, as it is when a statement reads it. In SQLite it is a temporary table,
 * which belongs to the index of this node alone: it is filled before a statement that reads it runs.
 */
import type { Unsubscribe } from "../base/events.ts";
import type { SqlValue } from "./types.ts";

export interface ComputerTable {
  readonly name: ComputerTableName;
  /** Their definitions, as CREATE TABLE has them between its brackets. */
  readonly columns: string;
  /** In the order of the columns. */
  rows(): Iterable<readonly SqlValue[]>;
  /** Called when rows may have changed. */
  onChange(listener: () => void): Unsubscribe;
}

/** Names that no table of a user's may have, on any node: those that come later are kept free. */
const NAMES = ["members", "files", "jobs", "processes", "mem", "mail"] as const;
type ComputerTableName = (typeof NAMES)[number];

const FOLDED: ReadonlySet<string> = new Set(NAMES);

/** `name` as SQLite compares it: in small letters. */
export function isOfComputer(name: string): boolean {
  return FOLDED.has(name);
}
