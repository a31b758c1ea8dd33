/** A name for a new directory, asked for in place. */
import { messageOf } from "../../../core/base/errors.ts";
import { byId } from "../dom.ts";

/** `make` throws, in words for people, if the directory can't be made. */
export function connectNewDirectory(make: (name: string) => void): void {
  const open = byId("files-new", HTMLButtonElement);
  const form = byId("files-name", HTMLElement);
  const input = byId("files-name-input", HTMLInputElement);
  const show = (isOpen: boolean): void => {
    form.hidden = !isOpen;
    open.ariaExpanded = String(isOpen);
    input.value = "";
    if (isOpen) input.focus();
  };
  const close = (): void => {
    show(false);
    open.focus();
  };
  const create = (): void => {
    const name = input.value.trim();
    try {
      if (name === "" || name.includes("/")) throw new Error("A name has at least one letter and no slash.");
      make(name);
      show(false);
    } catch (error) {
      input.setCustomValidity(messageOf(error));
      input.reportValidity();
    }
  };
  open.disabled = false;
  open.addEventListener("click", () => show(open.ariaExpanded !== "true"));
  byId("files-name-make", HTMLButtonElement).addEventListener("click", create);
  byId("files-name-cancel", HTMLButtonElement).addEventListener("click", close);
  input.addEventListener("input", () => input.setCustomValidity(""));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") create();
    else if (event.key === "Escape") close();
    else return;
    // The key has been handled, and must not press what has the focus now.
    event.preventDefault();
  });
}
