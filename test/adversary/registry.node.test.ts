/** Compares the registry with the sources, and checks that schemas bound whatever comes from elsewhere. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allSchemas, FILES, MAPS, NO_SCHEMAS, PROTOCOLS, TOPICS, UNBOUNDED } from "./registry.ts";
import { unboundedIn } from "./shape.ts";

const sources = new Map(
  globSync(["core/**/*.ts", "node/**/*.ts", "browser/**/*.ts"])
    .filter((path) => !/\.(test|contract|fixture)\.ts$|\.d\.ts$/.test(path))
    .map((path) => [path, readFileSync(path, "utf8")]),
);

test("every file that makes schemas is registered", () => {
  const making = [...sources].filter(([, source]) => /from "valibot"/.test(source)).map(([path]) => path);
  expect([...Object.keys(FILES), ...Object.keys(NO_SCHEMAS)].toSorted()).toEqual(making.toSorted());
});

/** The constants of a file that are made with the combinators of valibot, each with its text. */
function schemasOf(source: string): Map<string, string> {
  const all = new Map<string, string>();
  for (const [, name = "", made = ""] of source.matchAll(/^(?:export )?const (\w+)[^=]*?=([^;]*);/gms)) {
    if (/\b(?:v\.[a-z]\w*|bytesOf|textOf|lineOf|integerOf)\(/.test(made)) all.set(name, made);
  }
  return all;
}

test.each(Object.keys(FILES))("%s: every schema is registered, or part of one that is", (path) => {
  const schemas = schemasOf(sources.get(path) ?? "");
  const reached = new Set(Object.keys(FILES[path] ?? {}));
  for (const name of reached) {
    for (const part of schemas.keys()) if (new RegExp(`\\b${part}\\b`).test(schemas.get(name) ?? "")) reached.add(part);
  }
  expect([...schemas.keys()].filter((name) => !reached.has(name))).toEqual([]);
});

test("every number, text, list and byte string from elsewhere has a greatest", () => {
  const unbounded = [...allSchemas()].flatMap(([name, schema]) => unboundedIn(schema).map((place) => name + place));
  expect(unbounded.toSorted()).toEqual(Object.keys(UNBOUNDED).toSorted());
});

test("every protocol, map and topic is registered, with schemas that there are", () => {
  const found = (pattern: RegExp): string[] => [
    ...new Set([...sources.values()].flatMap((source) => [...source.matchAll(pattern)].map(([, name = ""]) => name))),
  ];
  expect(found(/"(\/starfish\/[^"<]+)"/g).toSorted()).toEqual(Object.keys(PROTOCOLS).toSorted());
  expect(found(/memory\.map\(\s*"([^"]+)"/g).toSorted()).toEqual(Object.keys(MAPS).toSorted());
  const users = [...sources]
    .filter(([, source]) => /\bnet\.(?:publish|subscribe)\(/.test(source))
    .map(([path]) => path);
  expect(users.toSorted()).toEqual(Object.keys(TOPICS).toSorted());
  const known = allSchemas();
  const named = [...Object.values(PROTOCOLS), ...Object.values(MAPS)].flat();
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
