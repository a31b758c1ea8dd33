/**
 * How safe the visible files are. The whole swarm is asked, so only a few files at a time, and again when something may
 * have changed. Files out of sight are not asked for.
 */
import { isStarfishError } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import type { FileInfo } from "../../../core/disk/types.ts";
import type { Standing } from "../../../core/shell/files/words.ts";

/** Each question goes to all nodes. */
const ASKED_AT_ONCE = 4;
/** How often it decides which files to ask for. */
const LOOK_MS = 400;
/** A file that is becoming safe changes by events elsewhere, of which nothing is heard. */
const UNSAFE_AGAIN_MS = 1_500;
/** A safe file is asked for again when something has changed, at most this often. */
const SAFE_AGAIN_MS = 5_000;
/** Answers that are kept for when a file comes into sight again. */
const KNOWN_MAX = 2_000;

interface Known {
  readonly cid: string;
  readonly standing: Standing;
  readonly askedAtMs: number;
}

export class SafetyWatch {
  readonly #computer: Computer;
  readonly #onAnswer: (path: string, standing: Standing) => void;
  readonly #inSight = new Map<string, FileInfo>();
  readonly #known = new Map<string, Known>();
  readonly #asking = new Set<string>();
  #changedAtMs = 0;

  constructor(computer: Computer, onAnswer: (path: string, standing: Standing) => void) {
    this.#computer = computer;
    this.#onAnswer = onAnswer;
    computer.storage.onChange(() => (this.#changedAtMs = performance.now()));
    setInterval(() => {
      if (document.visibilityState === "visible") this.#look();
    }, LOOK_MS);
  }

  see(info: FileInfo): void {
    this.#inSight.set(info.path, info);
  }

  unsee(path: string): void {
    this.#inSight.delete(path);
  }

  /** The last answer about this content. */
  known(info: FileInfo): Standing | undefined {
    const known = this.#known.get(info.path);
    return known?.cid === info.content?.cid ? known?.standing : undefined;
  }

  #look(): void {
    for (const info of this.#inSight.values()) {
      if (this.#asking.size >= ASKED_AT_ONCE) return;
      if (info.content !== undefined && !this.#asking.has(info.path) && this.#isDue(info)) void this.#ask(info);
    }
  }

  #isDue(info: FileInfo): boolean {
    const known = this.#known.get(info.path);
    if (known === undefined || this.known(info) === undefined) return true;
    const ageMs = performance.now() - known.askedAtMs;
    const { safety } = known.standing;
    if (safety !== "safe" && safety !== "here") return ageMs > UNSAFE_AGAIN_MS;
    return this.#changedAtMs > known.askedAtMs && ageMs > SAFE_AGAIN_MS;
  }

  async #ask({ path, content }: FileInfo): Promise<void> {
    if (content === undefined) return;
    this.#asking.add(path);
    const askedAtMs = performance.now();
    try {
      const { safety, survivesAny, devices, machines, survivesAnyMachines } =
        await this.#computer.files.statContent(path);
      const standing = { safety, survivesAny, devices, machines, survivesAnyMachines };
      this.#known.delete(path);
      this.#known.set(path, { cid: content.cid, standing, askedAtMs });
      for (const oldest of this.#known.keys()) {
        if (this.#known.size <= KNOWN_MAX) break;
        this.#known.delete(oldest);
      }
      this.#onAnswer(path, standing);
    } catch (error) {
      // The file was removed meanwhile, or its layout has not arrived yet; it is asked for again as long as it is in
      // sight.
      if (!isStarfishError(error)) throw error;
    } finally {
      this.#asking.delete(path);
    }
  }
}
