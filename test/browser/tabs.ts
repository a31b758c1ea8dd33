/**
 * Real tabs for tests: Chromium by playwright-core, the built page from a real node, a line typed, its output read.
 *
 *     await using browser = await openTabs();
 *     const tab = await browser.open(node.invite);
 *     const { output, ok } = await tab.run("peers");
 *
 * What a tab writes to its console as an error, and every request to another host, is kept in `tab.complaints`.
 */
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { CHROMIUM_ARGS, chromiumPath } from "../../tools/chromium.ts";

/** A tab joins in a second or two; the machine may be busy. */
const JOIN_MS = 30_000;
const LINE_MS = 60_000;

export interface TabOptions {
  /** The tab has storage of its own, as in another browser. Tabs without this option share one storage. */
  readonly apart?: boolean;
  readonly webrtc?: boolean;
  readonly cores?: number;
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly phone?: boolean;
  /**
   * Whether things move on the page; the tab then has storage of its own. By default its user prefers them not to
   * (`prefers-reduced-motion`): each message of the swarm would be some 40 frames, without a graphics card.
   */
  readonly moves?: boolean;
  /** Device pixels per CSS pixel. */
  readonly scale?: number;
  /** With false, `open` does not wait until the tab has joined: for pages that will not join. */
  readonly joins?: boolean;
  /** Whether its user has already chosen to store others' files, as many as the browser allows. Default: yes. */
  readonly keeps?: boolean;
  /** Runs in the page before its own code. */
  readonly before?: () => void;
}

export interface Ran {
  readonly output: string;
  /** Whether it ended with status 0. */
  readonly ok: boolean;
}

export interface Tabs extends AsyncDisposable {
  readonly browser: Browser;
  open(url: string, options?: TabOptions): Promise<Tab>;
  /**
   * Tabs like those of a browser that was just started, within this one; disposing of them leaves the browser running.
   */
  fresh(): Tabs;
  /** Closes all tabs that this has opened, and drops what they have stored. */
  closeAll(): Promise<void>;
  /** Ends the browser and all its tabs by SIGKILL: no tab says goodbye. */
  kill(): Promise<void>;
}

export interface BrowserOptions {
  /** The program to start, for example one that runs Chromium in another network. */
  readonly executablePath?: string;
  readonly args?: readonly string[];
}

export async function openTabs(options: BrowserOptions = {}): Promise<Tabs> {
  const { executablePath = chromiumPath(), args = [] } = options;
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_ARGS, ...args] });
  return tabsOf(browser, () => browser.close());
}

function tabsOf(browser: Browser, end: () => Promise<void>): Tabs {
  const contexts: BrowserContext[] = [];
  let shared: BrowserContext | undefined;
  const context = async (options: TabOptions): Promise<BrowserContext> => {
    const made = await newContext(browser, options);
    contexts.push(made);
    return made;
  };
  return {
    browser,
    async open(url, options = {}) {
      const apart =
        options.apart === true || options.phone === true || options.dark !== undefined || options.moves === true;
      return await Tab.open(apart ? await context(options) : (shared ??= await context(options)), url, options);
    },
    fresh() {
      const own = tabsOf(browser, () => own.closeAll());
      return own;
    },
    async closeAll() {
      shared = undefined;
      await Promise.all(contexts.splice(0).map((one) => one.close()));
    },
    async kill() {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      const own = processInfo.find(({ type }) => type === "browser");
      if (own === undefined) throw new Error("The browser does not say which process it is");
      const gone = new Promise<void>((resolve) => browser.once("disconnected", () => resolve()));
      process.kill(own.id, "SIGKILL");
      await gone;
    },
    [Symbol.asyncDispose]: end,
  };
}

function newContext(browser: Browser, options: TabOptions): Promise<BrowserContext> {
  return browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.dark === false ? "light" : "dark",
    reducedMotion: options.moves === true ? "no-preference" : "reduce",
    hasTouch: options.phone ?? false,
    isMobile: options.phone ?? false,
    deviceScaleFactor: options.scale ?? (options.phone === true ? 2 : 1),
  });
}

export class Tab {
  readonly page: Page;
  readonly complaints: string[] = [];
  /** From navigation to membership as the page shows it, ms. */
  joinedMs: number | undefined;
  #lines = 0;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(context: BrowserContext, url: string, options: TabOptions): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    tab.#listen(new URL(url).host);
    if (options.webrtc === false) {
      await tab.page.addInitScript(() => Reflect.deleteProperty(globalThis, "RTCPeerConnection"));
    }
    if (options.cores !== undefined) {
      await tab.page.addInitScript((cores) => {
        Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { get: () => cores });
      }, options.cores);
    }
    if (options.keeps !== false) {
      await tab.page.addInitScript(() => {
        try {
          if (localStorage.getItem("starfish.storage-cap") === null)
            localStorage.setItem("starfish.storage-cap", "2000000000");
        } catch {
          // Before there is a page.
        }
      });
    }
    if (options.before !== undefined) await tab.page.addInitScript(options.before);
    const start = performance.now();
    await tab.page.goto(url);
    if (options.joins !== false) {
      await tab.waitFor(/You are \S+\./, JOIN_MS);
      tab.joinedMs = performance.now() - start;
    }
    return tab;
  }

  /** What the terminal shows, trailing blanks cut. */
  async screen(): Promise<string> {
    // Not innerText: it lays the page out anew, twenty times a second while something is waited for.
    const rows = await this.page
      .locator("#terminal .xterm-rows > div")
      .evaluateAll((all) => all.map((row) => row.textContent ?? ""));
    return rows
      .map((row) => row.replaceAll("\u00a0", " ").trimEnd())
      .join("\n")
      .trimEnd();
  }

  async waitFor(pattern: RegExp, timeoutMs: number = LINE_MS): Promise<RegExpExecArray> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const screen = await this.screen();
      const match = pattern.exec(screen);
      if (match !== null) return match;
      if (performance.now() > deadline) {
        throw new Error(
          `${timeoutMs} ms passed without ${pattern}. The screen:\n${screen}\nComplaints: ${this.complaints.join("\n")}`,
        );
      }
      await this.page.waitForTimeout(50);
    }
  }

  /** Types at the prompt and presses Enter. */
  async type(line: string): Promise<void> {
    await this.page.locator(".xterm-helper-textarea").focus();
    await this.page.keyboard.insertText(line);
    await this.page.keyboard.press("Enter");
  }

  /** Runs a line to its end on an empty screen. Its output has to fit on it. */
  async run(line: string, timeoutMs: number = LINE_MS): Promise<Ran> {
    const mark = `end-of-line-${this.#lines++}`;
    await this.page.locator(".xterm-helper-textarea").focus();
    await this.page.keyboard.press("Control+L");
    await this.type(`${line} && echo ${mark}-yes || echo ${mark}-no`);
    const [, how] = await this.waitFor(new RegExp(`^${mark}-(yes|no)$`, "m"), timeoutMs);
    const screen = await this.screen();
    const from = screen.indexOf(`echo ${mark}-no`) + `echo ${mark}-no`.length;
    const output = screen.slice(from, screen.search(new RegExp(`^${mark}-(yes|no)$`, "m"))).trim();
    return { output, ok: how === "yes" };
  }

  /** The rows of the table of the swarm, cell by cell. */
  async table(): Promise<string[][]> {
    return await this.page
      .locator("#rows tr")
      .evaluateAll((rows) => rows.map((row) => Array.from(row.children, (cell) => cell.textContent ?? "")));
  }

  /** This node's name, as the status line says it. */
  async name(): Promise<string> {
    return (await this.page.locator("#facts b").textContent()) ?? "";
  }

  async close(): Promise<void> {
    await this.page.close({ runBeforeUnload: false });
  }

  #listen(host: string): void {
    this.page.on("console", (message) => {
      // Headers that Chromium heeds on protected pages only.
      if (message.text().startsWith("The Cross-Origin-Opener-Policy header has been ignored")) return;
      if (message.type() === "error" || message.type() === "warning")
        this.complaints.push(`${message.type()}: ${message.text()}`);
    });
    this.page.on("pageerror", (error) => this.complaints.push(`exception: ${error.message}`));
    this.page.on("request", (request) => {
      const { protocol, host: asked } = new URL(request.url());
      if (protocol.startsWith("http") && asked !== host) this.complaints.push(`request to ${asked}`);
    });
  }
}
