// Makes a fresh clone ready and then runs the command it is given, with the project's own Node first in PATH:
//
//     node tools/setup.mjs [--tests] -- COMMAND [ARG …]
//
// Plain JavaScript without dependencies, because an old Node (18 or later) has to run it, and what it imports.
// Each step is skipped when its inputs are unchanged, so that a second `npm start` begins at once.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isNewEnough } from "../bin/runtime.mjs";
import { linkNode } from "./link-node.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const separator = process.argv.indexOf("--");
const options = process.argv.slice(2, separator < 0 ? undefined : separator);
const command = separator < 0 ? [] : process.argv.slice(separator + 1);
const env = { ...process.env, PATH: join(root, "node_modules", ".bin") + delimiter + process.env.PATH };
const stampFolder = join(root, "node_modules", ".starfish-setup");

step("dependencies", ["package.json", "package-lock.json"], () => {
  say("Installing the dependencies (a minute or so, the first time) …");
  run(
    "npm",
    // No package needs to run a script when it is installed; the lock file could not pin what such a script does.
    ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    "The dependencies could not be installed. Is the npm registry reachable?",
  );
});
if (!linkNode() && !isNewEnough()) fail("Starfish needs Node 24 or later, and there is none by npm for this machine.");
step("build", ["package-lock.json", "vite.config.ts", "core", "browser", "wasm-tasks"], () => {
  say("Building the tasks and the page …");
  run("npm", ["run", "--silent", "build"], "The build failed.");
});
if (options.includes("--tests")) {
  installChromium();
  installNetworkTools();
  installSqlite();
}
if (command.length > 0) {
  const result = spawnSync(command[0], command.slice(1), { cwd: root, env, stdio: "inherit" });
  if (result.error) fail(`Could not run ${command[0]}: ${result.error.message}`);
  process.exit(result.status ?? 1);
}

/** Runs `work` unless it has succeeded before on the same inputs (files, or folders of them). */
function step(name, inputs, work) {
  const hash = createHash("sha256");
  for (const input of inputs) addToHash(hash, join(root, input));
  const digest = hash.digest("hex");
  const stamp = join(stampFolder, name);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest && isComplete(name)) return;
  work();
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(stamp, digest);
}

function isComplete(name) {
  return name === "dependencies"
    ? existsSync(join(root, "node_modules", ".bin", "tsc"))
    : existsSync(join(root, "dist", "page", "index.html"));
}

function addToHash(hash, path) {
  if (!existsSync(path)) return;
  if (!statSync(path).isDirectory()) {
    hash.update(path).update(readFileSync(path));
    return;
  }
  for (const name of readdirSync(path).sort())
    if (!/\.(test|contract)\.ts$|^README/.test(name)) addToHash(hash, join(path, name));
}

/** Installs Debian's package where that is allowed, and playwright's own build elsewhere. */
function installChromium() {
  const found = spawnSync(
    "node",
    ["-e", "import('./tools/chromium.ts').then((m) => process.exit(m.findChromium() ? 0 : 1))"],
    { cwd: root, env },
  );
  if (found.status === 0) return;
  say("Installing Chromium for the tests …");
  if (installPackage("chromium")) return;
  const own = spawnSync("npx", ["playwright", "install", "chromium"], { cwd: root, env, stdio: "inherit" });
  if (own.status !== 0)
    fail(
      "Chromium could be had neither from Debian nor from playwright. Install Chromium or Chrome and set CHROMIUM_PATH to its program.",
    );
}

/** Installs the tools with which test/system/sites.ts builds networks, to cut them. */
function installNetworkTools() {
  const path = `${env.PATH}${delimiter}/usr/sbin${delimiter}/sbin`;
  const works = (program) => spawnSync(program, ["-V"], { env: { ...env, PATH: path } }).status === 0;
  if (["ip", "unshare", "nsenter"].every(works)) return;
  say("Installing iproute2 for the tests …");
  if (installPackage("iproute2", "util-linux")) return;
  fail(
    "The tests cut networks with ip (iproute2), unshare and nsenter (util-linux), which are missing. Install them; they are of Linux, so elsewhere run the tests in a container.",
  );
}

/** Installs SQLite's own program, with which tests check the files that `sql --export` writes. */
function installSqlite() {
  if (spawnSync("sqlite3", ["-version"], { env }).status === 0) return;
  say("Installing sqlite3 for the tests …");
  if (installPackage("sqlite3")) return;
  fail("The tests open exported databases with sqlite3, which is missing. Install it.");
}

/** Installs Debian's packages, where that is allowed; returns whether they are there. */
function installPackage(...names) {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return false;
  const apt = (args) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  return apt(["update"]) && apt(["install", "-y", "--no-install-recommends", ...names]);
}

function run(program, args, complaint) {
  const result = spawnSync(program, args, {
    cwd: root,
    env,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) fail(complaint + (result.error ? ` (${result.error.message})` : ""));
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
