/** Helps people with keys: for completion, and to find the key that was meant. */
import { StarfishError } from "../../base/errors.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import { suggest } from "../suggest.ts";
import { oneLine } from "./value.ts";

/** Keys among which a mistyped one is searched for: more than a person has typed. */
const KEYS_COMPARED_MAX = 2_000;

/** The first keys with this prefix, in order; at most `countMax`. */
export function firstKeys(memory: ReplicatedMap, prefix: string, countMax: number): string[] {
  const keys: string[] = [];
  for (const { key } of memory.entries(prefix)) {
    if (keys.length === countMax) break;
    keys.push(key);
  }
  return keys;
}

/** "not-found", with the most similar key. */
export function noSuchKey(memory: ReplicatedMap, key: string): StarfishError {
  const near = suggest(key, firstKeys(memory, "", KEYS_COMPARED_MAX));
  const hint = near === undefined ? "'mem ls' lists the keys" : `did you mean '${oneLine(near)}'?`;
  return new StarfishError("not-found", `there is no key '${oneLine(key)}'; ${hint}`);
}
