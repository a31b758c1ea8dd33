/** Keys as paths, and members as names: laws that hold for any names that others choose. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { memberOf } from "../../../../test/fixtures/node-parts.ts";
import { namedMembers } from "../net/names.ts";
import { escapePart, keyOfPath, pathOfKey } from "./names.ts";

const part = fc.oneof(
  fc.constantFrom("", ".", "..", "%", "%=", "%25", "%2E", "%2e%2E", "%00", "\0", "100%", "a", "...", "%2", "\n"),
  fc.string({ unit: "grapheme" }),
);
const key = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));

test("every key has a path of its own, of parts that lead nowhere else, and is found by it", () => {
  fc.assert(
    fc.property(key, (given) => {
      const path = pathOfKey(given);
      expect(keyOfPath(path)).toBe(given);
      expect(path.startsWith("/")).toBe(true);
      for (const name of path.split("/").slice(1)) expect(name).not.toMatch(/^\.{0,2}$|\0/);
    }),
  );
});

test("two parts are never called the same", () => {
  fc.assert(fc.property(part, part, (a, b) => a === b || escapePart(a) !== escapePart(b) || a.includes("/")));
});

test("each member has one name, whatever others call themselves, and none is reserved", () => {
  const hostile = ["null", "otter", "", ".", "..", "a/b", "\n", "\u202e", "x".repeat(32)];
  const ids = [0, 1, 2, 3].map((i) => memberOf("x", i).record.peer);
  const name = fc.oneof(
    fc.constantFrom(...hostile, ...ids, ...ids.map((id) => `otter.${id}`), ...ids.map((id) => `otter.${id.slice(-6)}`)),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 8 }), (names) => {
      const members = names.map((one, i) => memberOf(one, i));
      const named = namedMembers(members, new Set(["null"]));
      expect(named.size).toBe(members.length);
      expect(new Set([...named.values()].map(({ record }) => record.peer)).size).toBe(members.length);
      for (const one of named.keys()) expect(one).not.toMatch(/^\.{0,2}$|^null$|[/\p{Cc}\u202e]/u);
    }),
  );
});
