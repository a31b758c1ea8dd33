/**
 * /mail: the mail for this node and its person, and the mail that it has sent. Its code is loaded when somebody looks.
 */
import type { Computer } from "../../../computer.ts";
import { ViewTree } from "../view.ts";
import { changesOf } from "../watching.ts";

export function mailTree(mail: Computer["mail"]): ViewTree {
  return new ViewTree({
    mount: "/mail",
    root: { kind: "directory", list: async () => (await import("./mail-views.ts")).mailViews(mail) },
    why: "mail comes by itself; 'mail rm N' removes it, 'mail WHO' writes",
    watch: (path, { signal }) => changesOf((tell) => mail.onChange(() => tell(path)), signal),
  });
}
