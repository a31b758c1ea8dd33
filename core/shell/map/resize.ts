/**
 * map resize: makes JPEGs fit a width and a height, one task each, and writes them into a folder under their own names.
 */
import { type Bytes, concat, text, utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { wholeNumber } from "../options.ts";
import { filesOf } from "./inputs.ts";
import { intoFolder, Named } from "./output.ts";
import type { MapTask } from "./task.ts";

const SIDE_MAX = 4_096;
const QUALITY_DEFAULT = 85;
/** The first byte of the task's output if it could not read the picture; a JPEG begins with 0xff. */
const TROUBLE = 0x21;

export const resize: MapTask = {
  takesWords: true,
  async prepare(options, context, words) {
    const { width = SIDE_MAX, height = SIDE_MAX, quality = QUALITY_DEFAULT, files } = read(words);
    if (width === SIDE_MAX && height === SIDE_MAX)
      throw new StarfishError("usage", "the size is missing, like map resize -w 800 --out /small/ /photos/*");
    if (options["out"] === undefined)
      throw new StarfishError("usage", "--out is missing: the directory for the pictures, like --out /small/");
    const named = new Named(true);
    const keep = await intoFolder(options, named, context);
    return {
      inputs: headed(
        `${width} ${height} ${quality}\n`,
        filesOf(files, context, (name) => named.add(name)),
      ),
      ordered: true,
      take: ({ index, output }) => {
        if (output[0] !== TROUBLE) return keep(index, output);
        throw new StarfishError("task-failed", `${named.of(index)}: ${text(output.subarray(1))}`);
      },
      finish: () => Promise.resolve(),
    };
  },
};

interface Words {
  readonly width?: number;
  readonly height?: number;
  readonly quality?: number;
  readonly files: readonly string[];
}

/** `-w 800`, `-h 600`, `-q 85`, and names of files. */
function read(words: readonly string[]): Words {
  const numbers: { width?: number; height?: number; quality?: number } = {};
  const files: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "-w") numbers.width = wholeNumber(words[++i] ?? "", "-w", 1, SIDE_MAX);
    else if (word === "-h") numbers.height = wholeNumber(words[++i] ?? "", "-h", 1, SIDE_MAX);
    else if (word === "-q") numbers.quality = wholeNumber(words[++i] ?? "", "-q", 1, 100);
    else if (word.startsWith("-"))
      throw new StarfishError("usage", `there is no option ${word}: map resize has -w WIDTH, -h HEIGHT and -q QUALITY`);
    else files.push(word);
  }
  return { ...numbers, files };
}

async function* headed(head: string, pictures: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void, undefined> {
  for await (const picture of pictures) yield concat([utf8(head), picture]);
}
