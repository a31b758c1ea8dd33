/** zip, unzip: archives of the tree. Their code is loaded when it is first called. */
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const zip: Command = utility({
  name: "zip",
  summary: "pack files as a zip",
  help: `
usage: zip [-jqr] [-0 … -9] [-x PATTERN] ARCHIVE PATH…

Puts the PATHs into the zip ARCHIVE ('-' is standard output). -r packs directories with all that is in them; -j leaves out
the names of directories; -x leaves out names that match PATTERN. Files that get shorter are compressed (-0 none, -9 most).
In an ARCHIVE that exists, files of the same names are replaced. -q says nothing.

  cd /tmp && mkdir -p a && seq 3 > a/b && rm -f a.zip && zip -r a.zip a
`,
  specs: {
    r: { long: "recurse-paths" },
    q: { long: "quiet" },
    j: { long: "junk-paths" },
    x: { long: "exclude", value: true },
    ...Object.fromEntries(Array.from({ length: 10 }, (_, level) => [String(level), {}])),
  },
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
usage: unzip [-jlnopqt] [-d DIRECTORY] [-x PATTERN] ARCHIVE [NAME…]

Unpacks the zip ARCHIVE here or into DIRECTORY: all of it, or what matches a NAME ('d/*'), except what matches PATTERN.
-j leaves out the names of directories; -l lists; -t tests; -p writes the files to standard output. Files that exist are
kept with -n and replaced with -o; without either, unzip says that they exist.

  cd /tmp && seq 3 > a && rm -f a.zip && zip a.zip a && unzip -p a.zip
`,
  specs: { d: { value: true }, x: { value: true }, j: {}, l: {}, n: {}, o: {}, p: {}, q: {}, t: {} },
  usageStatus: 10,
  async run(context) {
    const { runUnzip } = await import("../seldom/zip-run.ts");
    return await runUnzip(context);
  },
});
