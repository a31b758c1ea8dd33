/** The files that were deleted last, which one button brings back: earlier versions of files are kept for a week. */
import { messageOf } from "../../../core/base/errors.ts";
import type { FileInfo, Files } from "../../../core/disk/types.ts";
import { count } from "../../../core/shell/format.ts";
import { byId } from "../dom.ts";
import { nameOf } from "./words.ts";

export class Removed {
  readonly #files: Files;
  readonly #say: (words: string) => void;
  readonly #button = byId("files-undo", HTMLButtonElement);
  /** In the order in which they are restored: directories before their contents. */
  #all: readonly FileInfo[] = [];

  constructor(files: Files, say: (words: string) => void) {
    this.#files = files;
    this.#say = say;
    this.#button.addEventListener("click", () => this.#restore());
  }

  /** Throws as Files.remove does. */
  remove(info: FileInfo): void {
    const all = [...this.#files.walk(info.path)];
    this.#files.remove(info.path, { recursive: true });
    this.#all = all;
    const files = all.filter(({ kind }) => kind === "file").length;
    const what = info.kind === "file" ? nameOf(info) : `${nameOf(info)}/ with ${count(files, "file")}`;
    this.#say(`Deleted ${what}. It can be restored for a week.`);
    this.#button.textContent = `Restore ${nameOf(info)}`;
    this.#button.hidden = false;
  }

  /**
   * Restores all that can be. Others are counted, such as a conflict copy, whose versions are those of the file itself.
   */
  #restore(): void {
    this.#button.hidden = true;
    const failures: unknown[] = [];
    for (const { path, kind } of this.#all) {
      try {
        if (kind === "file") this.#files.restore(path);
        else this.#files.makeDirectory(path, { parents: true });
      } catch (error) {
        failures.push(error);
      }
    }
    const [first] = this.#all;
    const [failure] = failures;
    const but = failure === undefined ? "" : ` All but ${failures.length}: ${messageOf(failure)}.`;
    if (first !== undefined && failures.length < this.#all.length) this.#say(`Restored ${nameOf(first)}.${but}`);
    else if (failure !== undefined) this.#say(messageOf(failure));
    this.#all = [];
    // The button that had the focus is gone.
    byId("files-list", HTMLElement).focus();
  }
}
