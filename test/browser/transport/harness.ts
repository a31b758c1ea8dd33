/** What the transport tests start: the built page, Node.js processes that serve it, one Chromium, and its tabs. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import type { Address, DialTarget, LinkPath, PeerId } from "../../../core/ports/network.ts";
import { compileCacheDir } from "../../../node/compile-cache.ts";
import { CHROMIUM_ARGS, chromiumPath } from "../../../tools/chromium.ts";
import type { LinkReport } from "./page.ts";

export interface NodeProcess {
  readonly peer: PeerId;
  readonly addresses: readonly Address[];
  /** Where it serves the page. */
  readonly url: string;
  dial(target: DialTarget): Promise<LinkPath | string>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export interface OpenTab {
  readonly peer: PeerId;
  readonly page: Page;
  links(): Promise<LinkReport[]>;
  /** Peers of the links that have closed. */
  closed(): Promise<PeerId[]>;
  dial(target: DialTarget, timeoutMs?: number): Promise<LinkPath | string>;
  echo(peer: PeerId, bytes?: number): Promise<number | string>;
  hangUp(peer: PeerId): Promise<void>;
  close(): Promise<void>;
}

export class Harness implements AsyncDisposable {
  readonly #directory: string;
  readonly #browser: Browser;
  readonly #processes = new Set<ChildProcess>();

  private constructor(directory: string, browser: Browser) {
    this.#directory = directory;
    this.#browser = browser;
  }

  static async start(): Promise<Harness> {
    const directory = await mkdtemp(join(tmpdir(), "starfish-transport-"));
    await build({
      root: import.meta.dirname,
      configFile: false,
      logLevel: "warn",
      build: { outDir: directory, emptyOutDir: true, target: "esnext" },
    });
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
    return new Harness(directory, browser);
  }

  async node(options: { strangers?: boolean } = {}): Promise<NodeProcess> {
    const args = [join(import.meta.dirname, "node.ts"), this.#directory, ...(options.strangers ? ["--strangers"] : [])];
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCacheDir() };
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], env });
    this.#processes.add(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
    const ready = (await answer()) as { peer: PeerId; addresses: Address[] };
    const port = ready.addresses.find((address) => address.endsWith("/ws"))?.split("/")[4];
    return {
      ...ready,
      url: `http://127.0.0.1:${port}/`,
      dial: async (target) => {
        child.stdin.write(`${JSON.stringify(target)}\n`);
        return (await answer()) as LinkPath | string;
      },
      kill: async () => {
        this.#processes.delete(child);
        child.kill("SIGKILL");
        if (child.exitCode === null) await once(child, "exit");
      },
    };
  }

  /** A tab that is not linked to anybody yet. `webrtc: false` takes WebRTC away before the page loads. */
  async tab(url: string, options: { webrtc?: boolean } = {}): Promise<OpenTab> {
    const page = await this.#browser.newPage();
    page.on("pageerror", (error) => console.error("page error:", error));
    if (options.webrtc === false) {
      await page.addInitScript(() => void delete (globalThis as { RTCPeerConnection?: unknown }).RTCPeerConnection);
    }
    await page.goto(url);
    const peer = await page.evaluate(async () => (await globalThis.tab).self);
    return {
      peer,
      page,
      closed: () => page.evaluate(async () => (await globalThis.tab).closed()),
      links: () => page.evaluate(async () => (await globalThis.tab).links()),
      dial: (target, timeoutMs = 15_000) =>
        page.evaluate(async ([to, limitMs]) => (await globalThis.tab).dial(to, limitMs), [target, timeoutMs] as const),
      echo: (to, bytes = 1000) =>
        page.evaluate(async ([other, size]) => (await globalThis.tab).echo(other, size, 5_000), [to, bytes] as const),
      hangUp: (other) => page.evaluate(async (to) => (await globalThis.tab).hangUp(to), other),
      close: () => page.close(),
    };
  }

  /** A tab that is linked to the Node process. */
  async joined(node: NodeProcess, options: { webrtc?: boolean; url?: string } = {}): Promise<OpenTab> {
    const tab = await this.tab(options.url ?? node.url, options);
    const path = await tab.dial({ peer: node.peer, addresses: node.addresses });
    if (typeof path === "string") throw new Error(`Could not join: ${path}`);
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    for (const child of this.#processes) child.kill("SIGKILL");
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Waits until `condition` holds; fails with `what` after `timeoutMs`. Resolves with the milliseconds it took. */
export async function until(what: string, condition: () => Promise<boolean>, timeoutMs = 10_000): Promise<number> {
  const begin = performance.now();
  while (!(await condition())) {
    if (performance.now() - begin > timeoutMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - begin;
}
