/**
 * Finds whom a word means: a person or a node, by name if that is unique, or by the beginning or end of the id. Pure.
 */
import { StarfishError } from "../../base/errors.ts";
import type { Address, Correspondent } from "../../io/mail/types.ts";
import { suggest } from "../suggest.ts";
import { shortId } from "../who.ts";

/** Letters of an id that are enough to name somebody. */
const ID_CHARS_MIN = 4;
/** Letters of a person's id that are shown. */
const PERSON_CHARS = 8;

export function idOf(address: Address): string {
  return address.kind === "node" ? address.peer : address.person;
}

/** An id as people see and type it. */
export function shortIdOf(address: Address): string {
  return address.kind === "node" ? shortId(address.peer) : address.person.slice(0, PERSON_CHARS);
}

/** Undefined if the word means nobody. Throws "ambiguous". A person takes precedence over nodes of the same name. */
export function whoIs(word: string, all: readonly Correspondent[]): Correspondent | undefined {
  const exact = all.find(({ address }) => idOf(address) === word);
  if (exact !== undefined) return exact;
  const named = all.filter(({ name }) => name.toLowerCase() === word.toLowerCase());
  const people = named.filter(({ address }) => address.kind === "person");
  const byName = people.length > 0 ? people : named;
  const found = byName.length > 0 ? byName : all.filter(({ address }) => hasId(address, word));
  const [one, another] = found;
  if (another === undefined) return one;
  const choices = found.map(({ address, name }) => `${name} (${shortIdOf(address)})`).join(", ");
  throw new StarfishError("ambiguous", `'${word}' may be any of ${choices}; use the letters in brackets`);
}

export function noSuch(word: string, all: readonly Correspondent[]): StarfishError {
  const near = suggest(
    word,
    all.map(({ name }) => name),
  );
  const hint = near === undefined ? "'peers' lists who is here" : `did you mean '${near}'?`;
  return new StarfishError("not-found", `'${word}' is not a node, a person or a file; ${hint}`);
}

function hasId(address: Address, word: string): boolean {
  const id = idOf(address);
  return word.length >= ID_CHARS_MIN && (id.endsWith(word) || (address.kind === "person" && id.startsWith(word)));
}
