/** Builds the page into dist/page. Needs dist/tasks (wasm-tasks/build.ts), whose modules become assets of it. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin, type Rolldown, type UserConfig } from "vite";
import { CSP_META } from "./browser/csp.ts";

/** It comes first in the head, because a policy holds only for what comes after it. */
const contentSecurityPolicy: Plugin = {
  name: "starfish:csp",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: CSP_META }, injectTo: "head-prepend" },
  ],
};

/** Names the files that the page does not load by itself, for browser/later.ts, and fetches the next one ahead. */
const filesForLater: Plugin = {
  name: "starfish:later",
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle = {} }) {
      const asked = Object.entries(bundle)
        .filter(([file, built]) => /^assets\/.*\.(js|wasm)$/.test(file) && !html.includes(file) && !isEntry(built))
        .map(([file]) => file);
      // The node itself comes as soon as the terminal stands: its code may already be on the way.
      const node = asked.filter((file) => file.includes("/joining-"));
      const ahead = [...node, ...node.flatMap((file) => importsOf(bundle[file]))].filter((file) =>
        asked.includes(file),
      );
      const content = asked.filter((file) => !ahead.includes(file));
      return [
        { tag: "meta", attrs: { name: "starfish-later", content: content.join(" ") }, injectTo: "head" },
        ...ahead.map((href) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `./${href}`, "data-ahead": true },
          injectTo: "head" as const,
        })),
      ];
    },
  },
};

/** An entry whose code is all in its group's file contains only imports, and the page names that file instead. */
function isEntry(built: Rolldown.OutputChunk | Rolldown.OutputAsset): boolean {
  return built.type === "chunk" && built.isEntry;
}

function importsOf(built: Rolldown.OutputChunk | Rolldown.OutputAsset | undefined): string[] {
  return built?.type === "chunk" ? built.imports : [];
}

const MAIN: string = fileURLToPath(new URL("browser/main.ts", import.meta.url));
const JOINING: string = fileURLToPath(new URL("browser/joining.ts", import.meta.url));
const DOOR: string = fileURLToPath(new URL("browser/starfish.ts", import.meta.url));

/**
 * Decides in which file a module is. There is one file for the code that the page begins with, one for its node, and
 * one for what either of them shares with apps. Otherwise their common code would be two dozen further small files,
 * each a request before the prompt; and an app would load, and so start, the code that the page begins with.
 */
function filesByWhoNeedsThem(): Rolldown.CodeSplittingGroup[] {
  let reached: Readonly<Record<"main" | "joining" | "door" | "doorLater", Set<string>>> | undefined;
  const reach = (context: Rolldown.ChunkingContext): NonNullable<typeof reached> => {
    const from = (at: string, isLater: boolean, into: Set<string> = new Set()): Set<string> => {
      if (into.has(at)) return into;
      into.add(at);
      const { importedIds = [], dynamicallyImportedIds = [] } = context.getModuleInfo(at) ?? {};
      for (const next of isLater ? [...importedIds, ...dynamicallyImportedIds] : importedIds) from(next, isLater, into);
      return into;
    };
    return {
      main: from(MAIN, false),
      joining: from(JOINING, false),
      door: from(DOOR, false),
      doorLater: from(DOOR, true),
    };
  };
  const fileOf = (id: string, context: Rolldown.ChunkingContext): string | undefined => {
    reached ??= reach(context);
    const { main, joining, door, doorLater } = reached;
    // The door has a file of its own.
    if (id === DOOR) return undefined;
    // Code that an app needs later may not be in a file that starts the page either.
    if (main.has(id)) return doorLater.has(id) ? "base" : "main";
    if (door.has(id)) return "node";
    if (joining.has(id)) return doorLater.has(id) ? "node" : "joining";
    return undefined;
  };
  // A module goes to the first of them that it, or what imports it, belongs to.
  const files = ["base", "main", "node", "joining"];
  return files.map((file, at) => ({
    name: (id, context) => (fileOf(id, context) === file ? file : null),
    priority: files.length - at,
  }));
}

/** Tells the service worker which files there are, including those of browser/public. */
const filesToKeep: Plugin = {
  name: "starfish:keep",
  enforce: "post",
  generateBundle: {
    order: "post",
    async handler(_, bundle) {
      const worker = bundle[SERVICE_WORKER];
      if (worker?.type !== "chunk") throw new Error("The service worker has not been built");
      const hash = createHash("sha256");
      const files: string[] = [];
      for (const file of await readdir(PUBLIC)) {
        files.push(file);
        hash.update(await readFile(`${PUBLIC}/${file}`));
      }
      for (const [file, built] of Object.entries(bundle)) {
        if (built !== worker) files.push(file);
        hash.update(built.type === "chunk" ? built.code : built.source);
      }
      const build = JSON.stringify({ version: hash.digest("hex").slice(0, 16), files: files.toSorted() });
      const code = worker.code.replace(/(["'`])@starfish-build@\1/, () => JSON.stringify(build));
      if (code === worker.code) throw new Error("The service worker has no place for the files");
      worker.code = code;
    },
  },
};

const SERVICE_WORKER = "service-worker.js";
/**
 * Files whose place and name are known outside: one by which browsers find the next version, and one that apps import.
 */
const NAMED: Readonly<Record<string, string>> = { "service-worker": SERVICE_WORKER, starfish: "starfish.js" };
const PUBLIC: string = fileURLToPath(new URL("browser/public", import.meta.url));

const PURE_PACKAGES: RegExp =
  /\/node_modules\/(it-[\w-]+|multiformats|uint8arrays|uint8arraylist|protons-runtime|cborg|@multiformats\/[\w-]+|@chainsafe\/[\w-]+)\//;

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL("browser", import.meta.url)),
  base: "./",
  plugins: [contentSecurityPolicy, filesForLater, filesToKeep],
  build: {
    outDir: fileURLToPath(new URL("dist/page", import.meta.url)),
    emptyOutDir: true,
    // Browsers of 2025 and later.
    target: ["chrome133", "firefox135", "safari18.4"],
    // No file is inlined, because the policy forbids data: in scripts, styles and requests.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Terminal and node are a file each; what matters is their sum after gzip, which test/browser/page-size.test.ts
    // bounds.
    chunkSizeWarningLimit: 1_100,
    rolldownOptions: {
      input: {
        index: fileURLToPath(new URL("browser/index.html", import.meta.url)),
        "service-worker": fileURLToPath(new URL("browser/service-worker.ts", import.meta.url)),
        starfish: fileURLToPath(new URL("browser/starfish.ts", import.meta.url)),
      },
      // What apps import has exports; a page drops those of its entries.
      preserveEntrySignatures: "exports-only",
      output: {
        entryFileNames: ({ name }) => NAMED[name] ?? "assets/[name]-[hash].js",
        codeSplitting: { groups: filesByWhoNeedsThem() },
      },
      // Without the warning about slow plugins: on a busy machine it comes for any of them.
      checks: { pluginTimings: false },
      treeshake: {
        // These packages have no side effects, but unlike libp2p's their package.json doesn't say so.
        moduleSideEffects: [{ test: PURE_PACKAGES, sideEffects: false }],
      },
    },
  },
  worker: { format: "es" },
});

export default config;
