/** What is left out of the page throws, and the rest of its module is as it was. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAst } from "vite";
import { LEFT_OUT } from "./left-out.ts";
import { pruneModule } from "./prune.ts";

const RESOLVER = "libp2p/dist/src/connection-manager/resolvers/dnsaddr.js";
const MESSAGES = "@libp2p/peer-store/dist/src/pb/peer.js";

test("a function that is left out keeps its name and throws", () => {
  const code =
    "class R { async resolve() { return fetch(); } getDNS() { return dns(); } canResolve() { return false; } }";
  const pruned = pruneModule(code, RESOLVER);
  expect(pruned).toMatch(/^import \{ leftOut \} from ".*complain\.ts";\nclass R \{ /);
  expect(pruned).toContain(
    `async resolve() { throw leftOut("${RESOLVER} resolve"); } getDNS() { throw leftOut("${RESOLVER} getDNS"); } canResolve() { return false; } }`,
  );
});

test("of generators in expressions only these", () => {
  const pruned = pruneModule(
    "const codec = message((a) => { write(a); }, function* (b) { yield read(b); });",
    MESSAGES,
  );
  expect(pruned).toContain(
    `const codec = message((a) => { write(a); }, function* (b) { throw leftOut("${MESSAGES} function*"); });`,
  );
});

test("a library that has changed is no longer built", () => {
  expect(() => pruneModule("class R { async resolve() {} }", RESOLVER)).toThrow(/has no getDNS any more/);
});

test("statements that log go, what else a logger is asked for stays, and others' modules are left alone", () => {
  const code = `if (a) this.log("a"); else b(); stream.log.error("c %e", c); log.trace("d"); const l = this.log.newScope("e"); Math.log(f) > 1;`;
  expect(pruneModule(code, "libp2p/dist/src/any.js")).toMatch(
    /\nif \(a\) ; else b\(\); ; ; const l = this\.log\.newScope\("e"\); Math\.log\(f\) > 1;$/,
  );
  expect(pruneModule(code, "cborg/cborg.js")).toBe(code);
});

test.each(Object.keys(LEFT_OUT))("%s is still a module without", (module) => {
  const code = readFileSync(new URL(`../../node_modules/${module}`, import.meta.url), "utf8");
  const pruned = pruneModule(code, module);
  expect(pruned).toContain("{ throw leftOut(");
  expect(() => parseAst(pruned)).not.toThrow();
});
