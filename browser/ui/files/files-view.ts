/**
 * The files as a place of the page: one directory at a time, live. Files come in by dropping or picking them, go out as
 * downloads, and deleted ones can be brought back. It is loaded when it is first looked at or something is dropped.
 * Only a bounded part of a large directory is drawn.
 */
import { messageOf } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { FileInfo } from "../../../core/disk/types.ts";
import { baseName, within } from "../../../core/shell/files/paths.ts";
import { bytesWords, count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/mem/value.ts";
import { byId, setText } from "../dom.ts";
import { pick } from "../host.ts";
import { FileDetail } from "./file-detail.ts";
import { FileRows } from "./file-rows.ts";
import { type Incoming, picked } from "./incoming.ts";
import { bringIn, takeOut } from "./moves.ts";
import { connectNewDirectory } from "./new-directory.ts";
import { Removed } from "./removed.ts";
import { Transfer } from "./transfers.ts";

/** Rows that are drawn at first, and added by each "show more". */
const SHOWN_STEP = 200;
/**
 * The least time between two drawings, also as a multiple of the last drawing's time: most of the page's time is for
 * other work.
 */
const DRAW_MS = 120;
const DRAW_SHARE = 8;
/**
 * A new member does not know all files until it has reconciled; only after this time an empty directory is called
 * empty.
 */
const SETTLE_MS = 2_500;
/**
 * Up to this many names are sorted as people sort, "2" before "10"; more stay in the order of the tree, which costs
 * nothing.
 */
const COLLATED_MAX = 2_000;

const collator = new Intl.Collator(undefined, { numeric: true });

export class FilesView {
  readonly #computer: Computer;
  readonly #rows: FileRows;
  readonly #detail: FileDetail;
  readonly #removed: Removed;
  readonly #place = byId("files-place", HTMLElement);
  readonly #path = byId("files-path", HTMLElement);
  readonly #run: (line: string) => void;
  #directory = "/";
  #shownMax = SHOWN_STEP;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #drawnAtMs = 0;
  #tookMs = 0;
  readonly #beganAtMs: number = performance.now();
  #unwatch: () => void = () => {};

  /** `run` runs the line that an empty directory proposes. */
  constructor(computer: Computer, run: (line: string) => void) {
    this.#computer = computer;
    const remove = (info: FileInfo): void => this.#remove(info);
    this.#rows = new FileRows(computer, {
      open: (info) => this.#open(info),
      remove,
      up: () => this.#go(parentOf(this.#directory)),
    });
    this.#detail = new FileDetail(computer, {
      get: (info) => void new Transfer("").run((transfer) => takeOut(computer, info, transfer)),
      remove,
      close: () => this.#close(),
    });
    this.#removed = new Removed(computer.files, say);
    this.#run = run;
  }

  /** The current directory. */
  get directory(): string {
    return this.#directory;
  }

  show(): void {
    this.#connect(this.#run);
    this.#go("/");
    setTimeout(() => this.#later(), SETTLE_MS);
  }

  #connect(run: (line: string) => void): void {
    const on = (id: string, act: () => void): HTMLButtonElement => {
      const button = byId(id, HTMLButtonElement);
      button.addEventListener("click", act);
      button.disabled = false;
      return button;
    };
    on("files-add", () => void this.#pick());
    on("files-more", () => {
      this.#shownMax += SHOWN_STEP;
      this.#draw();
    });
    const proposed = on("files-try", () => run(proposed.textContent ?? ""));
    connectNewDirectory((name) => {
      this.#computer.files.makeDirectory(within(this.#directory, name));
      this.#draw();
      this.#rows.focus(within(this.#directory, name));
    });
    // It comes into view, or its size changes so that other rows come into view.
    new ResizeObserver(() => this.#later()).observe(this.#place);
  }

  /** Another directory. */
  #go(directory: string): void {
    this.#directory = directory;
    this.#shownMax = SHOWN_STEP;
    this.#unwatch();
    this.#unwatch = this.#computer.files.watch(directory, () => this.#later());
    this.#detail.show(undefined);
    byId("files-list", HTMLElement).scrollTop = 0;
    this.#draw();
  }

  #open(info: FileInfo): void {
    if (info.kind === "directory") {
      this.#go(info.path);
      const [first] = this.#path.querySelectorAll<HTMLElement>("[aria-current]");
      first?.focus();
      return;
    }
    this.#detail.show(this.#detail.path === info.path ? undefined : info);
    this.#draw();
    // In a low window the file is below the list, out of sight.
    if (this.#detail.path !== undefined) byId("file", HTMLElement).scrollIntoView({ block: "start" });
  }

  #close(): void {
    const path = this.#detail.path;
    this.#detail.show(undefined);
    this.#draw();
    if (path !== undefined) this.#rows.focus(path);
  }

  #later(): void {
    if (this.#drawing !== undefined) return;
    const waitMs = this.#drawnAtMs + Math.max(DRAW_MS, DRAW_SHARE * this.#tookMs) - performance.now();
    this.#drawing = setTimeout(() => this.#draw(), Math.max(0, waitMs));
  }

  #draw(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    // Out of sight nothing is drawn; coming into view is a change of size.
    if (!this.#place.checkVisibility()) return;
    const beganMs = performance.now();
    const { files } = this.#computer;
    if (files.stat(this.#directory)?.kind !== "directory") {
      say(`${oneLine(this.#directory)} is gone.`);
      return this.#go(parentOf(this.#directory));
    }
    const infos = ordered(files.list(this.#directory));
    const open = infos.find(({ path, kind }) => path === this.#detail.path && kind === "file");
    this.#detail.show(open);
    this.#rows.show(infos.slice(0, this.#shownMax), open?.path);
    this.#showPath();
    this.#showRest(infos);
    this.#drawnAtMs = performance.now();
    this.#tookMs = this.#drawnAtMs - beganMs;
  }

  #showRest(infos: readonly FileInfo[]): void {
    const files = infos.filter(({ kind }) => kind === "file");
    const directories = infos.length - files.length;
    const facts = [
      directories === 0 ? "" : count(directories, "directory", "directories"),
      files.length === 0 ? "" : count(files.length, "file"),
      files.length === 0 ? "" : bytesWords(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
    ];
    setText(byId("files-facts", HTMLElement), facts.filter(Boolean).join(" · "));
    const more = byId("files-more", HTMLButtonElement);
    const left = infos.length - this.#shownMax;
    more.hidden = left <= 0;
    setText(more, `Show ${Math.min(SHOWN_STEP, left)} more of ${left}`);
    const isEmpty = infos.length === 0;
    const isKnown = performance.now() - this.#beganAtMs > SETTLE_MS;
    byId("files-empty", HTMLElement).hidden = !isEmpty || !isKnown;
    byId("files-list", HTMLElement).classList.toggle("bare", isEmpty);
    const isRoot = this.#directory === "/";
    setText(
      byId("files-empty-words", HTMLElement),
      isRoot ? NOTHING_YET : "Nothing is in this directory. Add or drop files.",
    );
    byId("files-try", HTMLButtonElement).hidden = !isRoot;
  }

  /** The path from the root to here, each part of it a button. */
  #showPath(): void {
    const names = this.#directory.split("/").filter(Boolean);
    if (this.#path.dataset["of"] === this.#directory) return;
    this.#path.dataset["of"] = this.#directory;
    const parts = ["/", ...names.map((_, i) => `/${names.slice(0, i + 1).join("/")}`)];
    this.#path.replaceChildren(
      ...parts.map((path, i) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = i === 0 ? "All files" : oneLine(baseName(path));
        if (i === parts.length - 1) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => this.#go(path));
        item.append(button);
        return item;
      }),
    );
  }

  #remove(info: FileInfo): void {
    try {
      this.#removed.remove(info);
      this.#draw();
      byId("files-undo", HTMLButtonElement).focus();
    } catch (error) {
      say(messageOf(error));
    }
  }

  async #pick(): Promise<void> {
    try {
      const files = await pick("Choose files", true, new AbortController().signal);
      await this.bring(Promise.resolve(picked(files, this.#directory)));
    } catch {
      // The person chose nothing.
    }
  }

  /** Brings files in, with a progress line. */
  async bring(incoming: Promise<Incoming>): Promise<void> {
    await new Transfer("Looking through what was dropped").run(async (transfer) => {
      const { files, directories } = await incoming;
      if (files.length + directories.length === 0) return say("There were no files in it.");
      say(await bringIn(this.#computer, { files, directories }, transfer));
    });
  }
}

const NOTHING_YET =
  "Files that the whole swarm holds, so that any half of it may go. Nothing is here yet: add or drop some, or try";

function say(words: string): void {
  setText(byId("files-said", HTMLElement), words);
}

/** Directories first. */
function ordered(infos: FileInfo[]): FileInfo[] {
  const isCollated = infos.length <= COLLATED_MAX;
  const byName = (a: FileInfo, b: FileInfo): number => (isCollated ? collator.compare(a.path, b.path) : 0);
  return infos.sort((a, b) => Number(a.kind === "file") - Number(b.kind === "file") || byName(a, b));
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
