#!/usr/bin/env node
// Runs Starfish under a Node that is new enough. This file itself has to run on any Node from 18 on, so it is plain
// JavaScript; the Node that the program needs comes with it as a package (runtime.mjs).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundledNode, isNewEnough, NODE_MAJOR_MIN } from "./runtime.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist", "lib", "node", "cli.js");
const source = join(root, "node", "cli.ts");
// A checkout runs from its sources, which its owner edits. The package has only the code that was built from them.
const program = existsSync(source) ? source : built;

if (isNewEnough()) {
  await import(pathToFileURL(program).href);
} else {
  const runtime = bundledNode();
  if (runtime === undefined) {
    console.error(
      `starfish: this is Node ${process.versions.node}; Starfish needs Node ${NODE_MAJOR_MIN} or later, and none for this machine came with it.\n` +
        "Update Node; or run 'npm install' in the folder of Starfish, without --omit=optional.",
    );
    process.exit(69);
  }
  run(runtime);
}

/**
 * The child uses this terminal. Signals that are sent to this process alone are passed on, and this process ends as the
 * child does. If this process is killed outright, the channel between them closes, and the child takes that as SIGTERM.
 */
function run(runtime) {
  const child = spawn(runtime, [program, ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  // At a terminal Ctrl-C reaches both processes already; this one only has to outlive the child.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`starfish: ${runtime} could not be started: ${error.message}`);
    process.exit(69);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
