/**
 * Asks where in the tree to save what has come by mail or from another node: a path that can be changed, and *Save*.
 */
import { messageOf, StarfishError } from "../../../core/base/errors.ts";
import type { Computer } from "../../../core/computer.ts";
import { abortable } from "../../../core/ports/clock.ts";
import { within } from "../../../core/shell/files/paths.ts";
import { count } from "../../../core/shell/format.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { setText } from "../dom.ts";
import { Transfer } from "../files/transfers.ts";
import { button, make } from "../make.ts";

/** A file or folder of what is saved. */
export interface Part {
  readonly kind: "file" | "folder";
  /** Relative to the path under which it is saved; empty for that itself. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly read: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

export interface Savable {
  /** The proposed name, without slashes. */
  readonly name: string;
  readonly parts: () => Promise<readonly Part[]>;
  readonly transfers: HTMLUListElement;
  readonly onClose: () => void;
}

export function saveForm(computer: Computer, { name, parts, transfers, onClose }: Savable): HTMLElement {
  const input = make("input", { "aria-label": "Save as", value: `/${name}`, autocomplete: "off", spellcheck: "false" });
  const said = make("p", { role: "status" });
  const form = make("form", { class: "save" }, input, make("button", { type: "submit", class: "accent" }, "Save"));
  const close = (): void => {
    form.remove();
    onClose();
  };
  form.append(button("Cancel", close), said);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const path = input.value.startsWith("/") ? input.value : `/${input.value}`;
    if (computer.files.stat(path) !== undefined) {
      setText(said, `There is a ${oneLine(path)} already: choose another name.`);
      return input.focus();
    }
    form.replaceChildren(said);
    void save(computer, path, parts, transfers).then(
      (words) => setText(said, words),
      (error: unknown) => setText(said, messageOf(error)),
    );
  });
  return form;
}

/** Resolves to a message. */
async function save(
  computer: Computer,
  path: string,
  parts: Savable["parts"],
  transfers: HTMLUListElement,
): Promise<string> {
  const shown = oneLine(path);
  let words = "";
  const transfer = new Transfer(`Saving ${shown}`, transfers);
  await transfer.run(async () => {
    const all = await parts();
    const totalBytes = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    transfer.begin(`Saving ${shown}`, totalBytes);
    const { signal } = transfer;
    const safes: Promise<void>[] = [];
    for (const part of all) {
      const target = part.path === "" ? path : within(path, part.path);
      if (part.kind === "folder") computer.files.makeDirectory(target, { parents: true });
      else {
        makeParent(computer, target);
        const { safe } = await computer.files.write(target, transfer.through(part.read(signal)), { signal });
        safe.catch(() => {});
        safes.push(safe);
        words = `Saved as ${shown}${safes.length > 1 ? `, ${count(safes.length, "file")}` : ""}; everybody here can read it.`;
      }
    }
    transfer.begin(`Making ${shown} safe`, 0);
    try {
      await abortable(signal, Promise.all(safes));
    } catch (error) {
      if (!signal.aborted) throw new StarfishError("io", `${shown} is there, but not safe yet: ${messageOf(error)}`);
    }
  });
  return words === "" ? "Nothing was saved." : words;
}

function makeParent({ files }: Computer, path: string): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  if (parent !== "" && files.stat(parent) === undefined) files.makeDirectory(parent, { parents: true });
}
