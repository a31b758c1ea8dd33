/**
 * Files dropped on the page go to the files, wherever on the page they are dropped; otherwise the browser would leave
 * the page and show them.
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
    // A visible place: a drop on the terminal goes to the files too.
    const place = files.checkVisibility() ? files : byId("terminal-place", HTMLElement);
    if (sign.parentElement !== place) place.append(sign);
    setText(sign, `Drop to add to ${oneLine(directory())}`);
  });
  addEventListener("dragleave", (event) => {
    // Of the page as a whole, not of a part of it.
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

/** Whether this part of the page takes files for another purpose. */
function isOthers({ target }: DragEvent): boolean {
  return target instanceof Element && target.closest("[data-drops]") !== null;
}
