/**
 * How much code a tab loads, after gzip and as built: until the prompt, until it is a member, and for each feature
 * later.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ASSETS, closureOf, source } from "./built-code.ts";

const HTML: string = readFileSync(join(ASSETS, "../index.html"), "utf8");

/** The code that draws the prompt, mostly the terminal's library: half a second on a line of 2 Mbit/s. */
const PROMPT_GZIP_BYTES_MAX = 130_000;
/** The same with the node: libp2p, cryptography, the parts of the computer, and the views. */
const FIRST_LOAD_GZIP_BYTES_MAX = 450_000;
/** The code that an app loads with /starfish.js: the node without terminal and views. */
const APP_GZIP_BYTES_MAX = 330_000;

/**
 * Code that is loaded when it is needed: by the name of the file that is asked for, the size of it and of everything
 * that is loaded only with it.
 */
const FEATURES: Readonly<Record<string, number>> = {
  // Links between tabs, and from https pages.
  webrtc: 1_100,
  "webrtc-library": 9_000,
  // Pictures in the terminal: the add-on, and the coder of PNG.
  "addon-image": 21_000,
  png: 13_000,
  // map, and the worker in which its tasks run.
  run: 20_000,
  // sucrase, for map ts.
  esm: 47_000,
  // The parser that finds the variables which a function closes over, for computer.map.
  acorn: 37_000,
  "sandbox-worker": 17_000,
  // What leads a map: who runs what, and how others are asked.
  dispatcher: 3_200,
  borrower: 1_000,
  // The driver of the engines of scripts, in that worker.
  scripts: 23_100,
  // The worker of the erasure code, and the one that hands a download to the browser.
  "coder-worker": 8_000,
  "download-worker": 1_000,
  // The language, the trees and the utilities, when the tab is a member; full-screen programs; the worker of programs.
  // With hash, compgen, enable and the traps of functions as bash has them; tar, ln, man and reset.
  shell: 168_500,
  less: 8_000,
  // Commands that are used now and then: sed, archives, information on files and space, comparing with its library,
  // dumps, tables.
  "sed-run": 7_000,
  pack: 2_000,
  unpack: 4_000,
  "stat-run": 3_000,
  "df-run": 2_000,
  "jq-words": 1_000,
  "ping-run": 2_000,
  "peers-run": 2_000,
  "whoami-run": 1_000,
  // Mail and people: the commands, /mail, and the library that seals.
  "mail-run": 6_000,
  "mail-views": 3_000,
  // Which mail is not listed if there are too many.
  crowd: 1_000,
  // What seals a mail before it is sent.
  send: 2_000,
  "me-run": 2_100,
  "join-by": 1_500,
  // Pictures of people: what keeps them; what shows them on the page; what sets and shrinks one.
  pictures: 4_500,
  faces: 1_500,
  picture: 1_500,
  "shrink-picture": 1_000,
  "age-library": 31_000,
  "diff-run": 8_000,
  "patch-run": 8_000,
  // The reader and writer of zips comes with it.
  "zip-run": 15_000,
  "ln-run": 1_500,
  "tar-run": 16_500,
  // What does the same as commands of other systems.
  elsewhere: 2_500,
  "cmp-run": 2_000,
  "xxd-run": 2_000,
  "column-run": 1_000,
  "du-run": 2_000,
  "expr-run": 2_000,
  // The shared database: its service, its command, rarer calls, and the worker with SQLite (whose WebAssembly is a file
  // of its own).
  database: 14_000,
  // Includes the database itself, and the schema's model, which SQLite's worker has too.
  "as-of": 16_000,
  "row-history": 11_000,
  "sql-run": 16_000,
  "computer-tables": 5_000,
  // What looks after counters, and the list of large values for the collector of the disk.
  upkeep: 6_000,
  insert: 1_000,
  export: 1_000,
  "sql-file": 2_000,
  "sql-worker": 140_000,
  // /inbox, and the code of send and receive.
  tree: 2_000,
  outgoing: 4_000,
  incoming: 4_000,
  "send-run": 3_000,
  "receive-run": 3_000,
  // Codes for people who are no members: the code that opens one, with the elliptic curve of its PAKE; its command; and
  // the page for somebody who has a code.
  codes: 12_000,
  "code-run": 4_000,
  "fetch-view": 12_000,
  edit: 6_000,
  watch: 3_000,
  top: 4_000,
  // The view of files and space.
  place: 16_000,
  // Jobs whose tasks need each other, and return further ones.
  "graph-table": 4_000,
  // The invite as a link and a QR code; the panel of a chosen node, and a file sent to it.
  "invite-panel": 2_000,
  "node-panel": 2_000,
  // The list of shared memory.
  "memory-view": 4_000,
  // The states of long tasks that the swarm keeps.
  remembered: 3_000,
  // The view of jobs.
  "jobs-view": 7_000,
  // The view of mail and transfers; sending files from the picture of the swarm, and the attachments of a mail.
  "mail-view": 15_000,
  "send-files": 3_000,
  attachment: 1_000,
  // The view of tables; SQLite is loaded with its first query.
  "tables-view": 12_000,
  // The output of job and ps.
  show: 4_000,
  "program-worker": 12_000,
  // QR codes.
  dist: 6_000,
  // Archives, to read and to write.
  car: 12_000,
  tar: 6_000,
  "tar-read": 7_000,
  "unixfs-read": 7_000,
  zip: 9_500,
  "zip-write": 8_000,
};

const files: readonly string[] = readdirSync(ASSETS).filter((name) => /\.(js|css)$/.test(name));

function nameOf(file: string): string {
  return file.replace(/-[\w-]{8}\.\w+$/, "");
}

/** Files that are loaded while the page runs: by import(), or as a worker. */
function askedLater(): Set<string> {
  const asked = new Set(files.filter((file) => /-worker-[\w-]{8}\.js$/.test(file)));
  for (const file of files) for (const next of askedBy(file)) asked.add(next);
  return asked;
}

/** Files that this file loads by import(). */
function askedBy(file: string): string[] {
  return Array.from(source(file).matchAll(/\bimport\(\s*["'`]\.\/([\w.-]+\.js)["'`]/g), ([, next = ""]) => next);
}

function gzipBytes(loaded: Iterable<string>): number {
  return [...loaded].reduce((sum, file) => sum + gzipSync(readFileSync(join(ASSETS, file)), { level: 9 }).length, 0);
}

const later = askedLater();
const node = [...later].find((file) => nameOf(file) === "joining") ?? "";
/** The part of the page that names files, without the file that is only fetched ahead: the node. */
const NAMED: string = HTML.replaceAll(/<meta name="starfish-later"[^>]*>|<link[^>]* data-ahead[^>]*>/g, "");
const atOnce = new Set(files.filter((file) => NAMED.includes(file)).flatMap((file) => [...closureOf(file)]));
const first = closureOf(node, new Set(atOnce));

const shell = [...later].find((file) => nameOf(file) === "shell") ?? "";
const withShell = new Set([...first, ...closureOf(shell)]);

/** Whether a file has been loaded already when `feature` is wanted: somebody who types a command has the shell. */
function isThere(file: string, feature: string): boolean {
  return feature === shell ? first.has(file) : withShell.has(file);
}

describe("code of the page, after gzip", () => {
  test("until the prompt", () => {
    expect([...atOnce].map(nameOf)).toContain("index");
    const bytes = gzipSync(HTML, { level: 9 }).length + gzipBytes(atOnce);
    console.log(`${bytes} bytes until the prompt`);
    expect(bytes).toBeLessThanOrEqual(PROMPT_GZIP_BYTES_MAX);
  });

  test("terminal and node", () => {
    expect(first.size).toBeGreaterThan(atOnce.size);
    const bytes = gzipSync(HTML, { level: 9 }).length + gzipBytes(first);
    console.log(`${bytes} bytes with the node`);
    expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_GZIP_BYTES_MAX);
  });

  test("what an app imports is the node, which the page has too, and little besides", () => {
    const door = readFileSync(join(ASSETS, "../starfish.js"));
    const imported = Array.from(String(door).matchAll(/["'`]\.\/assets\/([\w.-]+\.js)["'`]/g), ([, file = ""]) => file);
    const all = imported.reduce((into, file) => closureOf(file, into), new Set<string>());
    const bytes = gzipSync(door, { level: 9 }).length + gzipBytes(all);
    console.log(`${bytes} bytes for an app, of which it alone ${gzipSync(door, { level: 9 }).length}`);
    expect(bytes).toBeLessThanOrEqual(APP_GZIP_BYTES_MAX);
    // No code is there twice, and an app loads no code that starts the page, neither at first nor later.
    expect([...all].filter((file) => !first.has(file))).toEqual([]);
    for (const file of all) for (const next of askedBy(file)) closureOf(next, all);
    expect(all.size).toBeGreaterThan(imported.length);
    expect(["index", "main", "joining"].filter((name) => [...all].map(nameOf).includes(name))).toEqual([]);
  });

  test("each feature that is loaded later has a bound, and keeps it", () => {
    const sizes = [...later]
      .filter((file) => !first.has(file))
      .map((file) => [nameOf(file), gzipBytes([...closureOf(file)].filter((each) => !isThere(each, file)))] as const);
    console.log(sizes.map(([name, bytes]) => `${name} ${bytes}`).join(", "));
    expect(new Set(sizes.map(([name]) => name))).toEqual(new Set(Object.keys(FEATURES)));
    expect(sizes.filter(([name, bytes]) => bytes > (FEATURES[name] ?? 0))).toEqual([]);
  });
});
