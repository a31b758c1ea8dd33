#!/usr/bin/env node
// Runs Starfish under a Node that is new enough. This file itself has to run on any Node from 18 on, so it is plain
// JavaScript; the Node that the program needs comes with it as the package "node".
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Earliest Node that strips types without being asked and has explicit resource management (`await using`). */
const NODE_MAJOR_MIN = 24;

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist", "lib", "node", "cli.js");
const source = join(root, "node", "cli.ts");
// A checkout has the sources: they are what its owner edits. The package has only what was built from them.
const program = existsSync(source) ? source : built;

if (isNewEnough()) {
  await import(pathToFileURL(program).href);
} else {
  const runtime = bundledNode();
  if (runtime === undefined) {
    console.error(
      `starfish: this is Node ${process.versions.node}; Starfish needs Node ${NODE_MAJOR_MIN} or later, and the one that comes with it is missing.\n` +
        "Install it with 'npm install' in the folder of Starfish, or update Node.",
    );
    process.exit(69);
  }
  run(runtime);
}

function isNewEnough() {
  return Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN;
}

function bundledNode() {
  try {
    const manifest = createRequire(join(root, "package.json")).resolve("node/package.json");
    const path = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The child has this terminal. Signals sent to this process alone are passed on, and its end is ours. Should this process
 * be killed outright, the channel between them closes and the child takes that as SIGTERM.
 */
function run(runtime) {
  const child = spawn(runtime, [program, ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  // At a terminal Ctrl-C reaches both of us already; this one only has to outlive it.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`starfish: ${runtime} could not be started: ${error.message}`);
    process.exit(69);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
