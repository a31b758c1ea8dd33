/** One file: its facts, its safety, where its shards are, and a preview. Updated while it is open. */
import { isStarfishError, messageOf } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { ContentStat, FileInfo } from "../../../core/disk/types.ts";
import { safetyWords } from "../../../core/shell/files/words.ts";
import { bytesWords, count } from "../../../core/shell/format.ts";
import { byId, setText } from "../dom.ts";
import { previewOf, said } from "./preview.ts";
import { ShardsPicture } from "./shards-picture.ts";
import { nameOf, safetyShort, whenWords } from "./words.ts";

/** How often the nodes are asked what they hold, so that repair can be watched. */
const ASK_MS = 700;
/** When all is well, they are asked only when something may have changed, or after this time. */
const REST_MS = 5_000;

export interface DetailEvents {
  readonly get: (info: FileInfo) => void;
  readonly remove: (info: FileInfo) => void;
  readonly close: () => void;
}

export class FileDetail {
  readonly #computer: Computer;
  readonly #place = byId("file", HTMLElement);
  readonly #preview = byId("preview", HTMLElement);
  readonly #shards: ShardsPicture;
  #info: FileInfo | undefined;
  #loading = new AbortController();
  #askedAtMs = 0;
  #isAsking = false;
  #isStale = true;

  constructor(computer: Computer, events: DetailEvents) {
    this.#computer = computer;
    this.#shards = new ShardsPicture(computer);
    const on = (id: string, act: (info: FileInfo) => void): void =>
      byId(id, HTMLButtonElement).addEventListener("click", () => {
        if (this.#info !== undefined) act(this.#info);
      });
    on("file-get", events.get);
    on("file-remove", events.remove);
    on("file-close", events.close);
    this.#place.addEventListener("keydown", (event) => {
      if (event.key === "Escape") events.close();
    });
    computer.storage.onChange(() => (this.#isStale = true));
    setInterval(() => this.#look(), ASK_MS);
  }

  get path(): string | undefined {
    return this.#info?.path;
  }

  /** Undefined closes it. Called with the same file again, it shows what has changed. */
  show(info: FileInfo | undefined): void {
    const before = this.#info;
    this.#info = info;
    this.#place.hidden = info === undefined;
    byId("space", HTMLElement).hidden = info !== undefined;
    if (info?.path === before?.path && info?.content?.cid === before?.content?.cid) return;
    this.#loading.abort();
    this.#loading = new AbortController();
    this.#shards.clear();
    this.#preview.replaceChildren();
    if (info === undefined) return;
    setText(byId("file-title", HTMLElement), nameOf(info));
    this.#facts(info, undefined);
    this.#isStale = true;
    this.#askedAtMs = 0;
    this.#look();
    void this.#load(info, this.#loading.signal);
  }

  async #load(info: FileInfo, signal: AbortSignal): Promise<void> {
    const waiting = setTimeout(() => this.#preview.replaceChildren(said("Loading…")), 300);
    try {
      const shown = await previewOf(this.#computer.files, info, signal);
      if (!signal.aborted) this.#preview.replaceChildren(...shown);
    } catch (error) {
      if (!signal.aborted) this.#preview.replaceChildren(said(messageOf(error)));
    } finally {
      clearTimeout(waiting);
    }
  }

  #look(): void {
    if (this.#info === undefined || this.#isAsking || document.visibilityState === "hidden") return;
    if (this.#isStale || performance.now() - this.#askedAtMs > REST_MS) void this.#ask(this.#info);
  }

  async #ask(info: FileInfo): Promise<void> {
    const { signal } = this.#loading;
    this.#isAsking = true;
    this.#isStale = false;
    this.#askedAtMs = performance.now();
    try {
      const stat = await this.#computer.files.statContent(info.path, { signal });
      if (signal.aborted) return;
      this.#facts(info, stat);
      this.#shards.show(stat);
      if (stat.safety === "placing" || stat.safety === "lost") this.#isStale = true;
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      if (!signal.aborted) setText(byId("file-safety", HTMLElement), error.message);
    } finally {
      this.#isAsking = false;
    }
  }

  #facts(info: FileInfo, stat: ContentStat | undefined): void {
    const conflict = info.isConflict
      ? " · a conflict copy: two sides wrote this name without knowing of each other"
      : "";
    setText(
      byId("file-facts", HTMLElement),
      `${bytesWords(info.sizeBytes)} · ${whenWords(info.modifiedAtMs)}${conflict}`,
    );
    const safety = byId("file-safety", HTMLElement);
    safety.className = stat?.safety ?? "";
    setText(safety, stat === undefined ? "" : [markOf(stat), safetyWords(stat), codeWords(stat)].join(" "));
  }
}

function markOf(stat: ContentStat): string {
  return safetyShort(stat).slice(0, 1);
}

function codeWords({ code, stripes }: ContentStat): string {
  if (code === undefined) return "· small, so it is whole on every node";
  return `· ${count(stripes, "stripe")}, any ${code.k} of ${count(code.n, "shard")} enough for each`;
}
