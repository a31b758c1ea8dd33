/**
 * Makes a JPEG smaller. The input is a line "WIDTH HEIGHT QUALITY" and then the picture, which is made to fit into that
 * size and never becomes larger. The output is a JPEG, or "!" and what is wrong with the picture. A pixel of the output
 * is the mean of the pixels that it stands for.
 */
import { text, utf8 } from "../sdk/text";
import { Decoder, Target } from "./decode";
import { Encoder } from "./encode";

const NEWLINE: u8 = 0x0a;
const WORDS_MAX: i32 = 100;
const SIDE_MAX: i32 = 4_096;

class Shrunk extends Target {
  width: i32 = 0;
  height: i32 = 0;
  private readonly boxWidth: i32;
  private readonly boxHeight: i32;
  private fromWidth: i32 = 0;
  private fromHeight: i32 = 0;
  private sums: StaticArray<u32> = new StaticArray<u32>(0);
  private counts: StaticArray<u32> = new StaticArray<u32>(0);

  constructor(boxWidth: i32, boxHeight: i32) {
    super();
    this.boxWidth = boxWidth;
    this.boxHeight = boxHeight;
  }

  begin(width: i32, height: i32): void {
    this.fromWidth = width;
    this.fromHeight = height;
    const scale = min<f64>(1.0, min<f64>(<f64>this.boxWidth / <f64>width, <f64>this.boxHeight / <f64>height));
    this.width = max(1, <i32>Math.round(<f64>width * scale));
    this.height = max(1, <i32>Math.round(<f64>height * scale));
    this.sums = new StaticArray<u32>(3 * this.width * this.height);
    this.counts = new StaticArray<u32>(this.width * this.height);
  }

  pixel(x: i32, y: i32, red: i32, green: i32, blue: i32): void {
    const column = (x * this.width) / this.fromWidth;
    const row = (y * this.height) / this.fromHeight;
    const at = row * this.width + column;
    this.sums[3 * at] += red;
    this.sums[3 * at + 1] += green;
    this.sums[3 * at + 2] += blue;
    this.counts[at]++;
  }

  pixels(): Uint8Array {
    const all = new Uint8Array(3 * this.width * this.height);
    for (let i = 0; i < this.counts.length; i++) {
      const count = max<u32>(1, this.counts[i]);
      for (let c = 0; c < 3; c++) all[3 * i + c] = <u8>((this.sums[3 * i + c] + count / 2) / count);
    }
    return all;
  }
}

export function task(input: Uint8Array): Uint8Array {
  let end = 0;
  while (end < min(WORDS_MAX, input.length) && input[end] != NEWLINE) end++;
  const words = text(input.subarray(0, end)).split(" ");
  assert(words.length == 3, "the input is: WIDTH HEIGHT QUALITY, and the picture");
  const width = max(1, min(SIDE_MAX, I32.parseInt(words[0])));
  const height = max(1, min(SIDE_MAX, I32.parseInt(words[1])));
  const quality = max(1, min(100, I32.parseInt(words[2])));
  const picture = input.subarray(end + 1);
  const shrunk = new Shrunk(width, height);
  const decoder = new Decoder(picture, shrunk);
  if (!decoder.run()) return utf8("!" + decoder.error);
  const exif = picture.subarray(decoder.exifFrom, decoder.exifTo);
  return new Encoder(quality).encode(shrunk.pixels(), shrunk.width, shrunk.height, exif);
}
