/** import: the old word for what `put --unpack` does now. */
import { StarfishError } from "../../base/errors.ts";
import type { Command } from "../types.ts";

export const importFiles: Command = {
  name: "import",
  summary: "now 'put --unpack'",
  help: `
usage: put --unpack HOSTPATH [DEST]

Archives are taken apart by 'put --unpack', and made by 'get --tar', '--zip' and '--car'.

  put --help
`,
  run: ({ args }) =>
    Promise.reject(new StarfishError("usage", `archives are taken apart by 'put --unpack ${args.join(" ")}' now`)),
};
