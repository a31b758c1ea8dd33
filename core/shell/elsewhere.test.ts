/** Commands of other systems: what is said of them names commands that are here, and none of them is here itself. */
import { expect, test } from "vitest";
import { builtinCommands } from "./commands/index.ts";
import { BY_NAME, hintFor } from "./elsewhere.ts";
import { builtins } from "./language/builtins/index.ts";
import { programNamed } from "./programs/table.ts";
import { utilities } from "./utilities/index.ts";

const commands = new Set([...builtinCommands(() => []), ...utilities].map(({ name }) => name));

function isHere(name: string): boolean {
  return commands.has(name) || builtins.has(name) || programNamed(name) !== undefined;
}

test("each hint names commands that are here", () => {
  for (const [name, hint] of BY_NAME) {
    const named = Array.from(hint.matchAll(/(?:^|[ (;,])'([a-z]+)[ ']/g), ([, word = ""]) => word);
    for (const word of named) expect(isHere(word), `${word}, for ${name}`).toBe(true);
  }
});

test("no command that is here has a hint", () => {
  expect([...BY_NAME.keys()].filter(isHere)).toEqual([]);
});

test("a name is looked up as it is", () => {
  expect(hintFor("vi")).toContain("edit");
  for (const name of ["constructor", "toString", "", "vi "]) expect(hintFor(name)).toBe(undefined);
});
