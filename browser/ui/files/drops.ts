/**
 * Files dropped on the page: on the file view they are what it is for, and elsewhere they are meant for it too, since a
 * browser would leave the page and show them otherwise.
 */
import { oneLine } from "../../../core/shell/mem/value.ts";
import { byId, setText } from "../dom.ts";
import { goTo } from "../places.ts";
import { dropped, type Incoming } from "./incoming.ts";

export function connectDrops(directory: () => string, take: (incoming: Promise<Incoming>) => void): void {
  const sign = byId("files-drop", HTMLElement);
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    sign.hidden = isOthers(event);
    if (sign.hidden) return;
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
    const files = byId("files-place", HTMLElement);
    // Where it can be seen: the drop goes to the files from the terminal too.
    const place = files.checkVisibility() ? files : byId("terminal-place", HTMLElement);
    if (sign.parentElement !== place) place.append(sign);
    setText(sign, `Drop to add to ${oneLine(directory())}`);
  });
  addEventListener("dragleave", (event) => {
    // Of the page, not of some part of it.
    if (event.relatedTarget === null) sign.hidden = true;
  });
  addEventListener("drop", (event) => {
    sign.hidden = true;
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    if (isOthers(event)) return;
    goTo("files");
    take(dropped(event.dataTransfer, directory()));
  });
}

/** Parts of the page that take files for something else. */
function isOthers({ target }: DragEvent): boolean {
  return target instanceof Element && target.closest("[data-drops]") !== null;
}
