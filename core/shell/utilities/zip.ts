/** zip, unzip: archives of the tree. Their code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const zip: Command = utility({
  name: "zip",
  summary: "pack files as a zip",
  help: `
usage: zip [-rq] ARCHIVE PATH…

Makes the zip ARCHIVE ('-' is standard output) of the PATHs, -r with all that is in directories; -q says nothing. Bytes are
stored as they are. An ARCHIVE that is there is not added to: remove it first.

  cd /tmp && mkdir -p a && seq 3 > a/b && rm -f a.zip && zip -r a.zip a
`,
  specs: { r: { long: "recurse-paths" }, q: { long: "quiet" } },
  failed: 18,
  usageStatus: 16,
  async run(context) {
    const { runZip } = await import("../seldom/zip-run.ts");
    return await runZip(context);
  },
});

export const unzip: Command = utility({
  name: "unzip",
  summary: "unpack a zip, or list what is in it",
  help: `
usage: unzip [-lnopq] [-d DIRECTORY] ARCHIVE [NAME…]

Unpacks the zip ARCHIVE, or what is like NAME in it ('d/*'), here or in DIRECTORY. -l lists it, -p writes the bytes of its
files to standard output. Files that are there are kept with -n and replaced with -o; without either it says so.

  cd /tmp && seq 3 > a && rm -f a.zip && zip a.zip a && unzip -p a.zip
`,
  specs: { d: { value: true }, l: {}, n: {}, o: {}, p: {}, q: {} },
  usageStatus: 10,
  async run(context) {
    const { runUnzip } = await import("../seldom/zip-run.ts");
    return await runUnzip(context);
  },
});
