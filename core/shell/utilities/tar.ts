/** tar: archives of files, with gzip if wanted. Its code is loaded when it is first called. */
import type { OptionSpecs } from "../getopt.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const TAR_SPECS: OptionSpecs = {
  c: { long: "create" },
  x: { long: "extract" },
  get: {},
  t: { long: "list" },
  f: { long: "file", value: true },
  z: { long: "gzip" },
  gunzip: {},
  a: { long: "auto-compress" },
  v: { long: "verbose" },
  C: { long: "directory", value: true },
  O: { long: "to-stdout" },
  k: { long: "keep-old-files" },
  T: { long: "files-from", value: true },
  exclude: { value: true },
  "strip-components": { value: true },
  wildcards: {},
  // What trees do not keep, or do anyway.
  p: { long: "preserve-permissions" },
  m: { long: "touch" },
  o: { long: "no-same-owner" },
  h: { long: "dereference" },
  P: { long: "absolute-names" },
  overwrite: {},
  b: { long: "blocking-factor", value: true },
};

export const tar: Command = utility({
  name: "tar",
  summary: "pack files into one, and unpack them",
  help: `
usage: tar -c|-x|-t [-zvOk] [-f ARCHIVE] [-C DIRECTORY] [--exclude=PATTERN] [--strip-components=N] [PATH…]

-c packs the PATHs with all that is below them, -x unpacks, -t lists; the dash may be absent ('tar xzf'). ARCHIVE is a file;
without -f, or with '-', it is standard input or output. -z packs with gzip; -a does so if ARCHIVE ends with .gz or .tgz;
-x and -t find out themselves. -C works in DIRECTORY, -v names each file, -T FILE reads PATHs from FILE, one a line. -x
replaces existing files, or keeps them with -k; -O writes the contents to standard output. With PATHs, -x and -t take only
these. Symbolic links are skipped with a message.

  cd /tmp && mkdir -p a && seq 3 > a/b && tar czf a.tgz a && tar tzvf a.tgz
`,
  specs: TAR_SPECS,
  failed: 2,
  async run(context) {
    const { runTar } = await import("../seldom/tar-run.ts");
    return await runTar(context);
  },
});
