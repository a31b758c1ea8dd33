/** Decodes baseline JPEG (ITU-T T.81, sequential DCT, Huffman, 8 bits) pixel by pixel into whatever takes them. */
import { COSINES, ZIGZAG } from "./tables";

/** Takes each pixel once. */
export abstract class Target {
  abstract begin(width: i32, height: i32): void;
  abstract pixel(x: i32, y: i32, red: i32, green: i32, blue: i32): void;
}

class Huffman {
  readonly maxCode: StaticArray<i32> = new StaticArray<i32>(18);
  readonly offset: StaticArray<i32> = new StaticArray<i32>(18);
  readonly values: StaticArray<u8> = new StaticArray<u8>(256);

  /** False where the counts make no prefix code. */
  fill(bytes: Uint8Array, at: i32): bool {
    let code = 0;
    let index = 0;
    for (let length = 1; length <= 16; length++) {
      const count = <i32>bytes[at + length - 1];
      this.offset[length] = index - code;
      code += count;
      index += count;
      if (index > 256 || code > 1 << length) return false;
      this.maxCode[length] = code - 1;
      if (count == 0) this.maxCode[length] = -1;
      code <<= 1;
    }
    for (let i = 0; i < index; i++) this.values[i] = bytes[at + 16 + i];
    return true;
  }
}

class Component {
  id: i32 = 0;
  across: i32 = 1;
  down: i32 = 1;
  table: i32 = 0;
  dc: i32 = 0;
  ac: i32 = 0;
  before: i32 = 0;
  /** Samples of one MCU, rows of 8 * across. */
  samples: StaticArray<u8> = new StaticArray<u8>(0);
}

export class Decoder {
  /** What is wrong with the picture, or empty. */
  error: string = "";
  /** The segments of EXIF, whole: they say which way up the picture is. */
  exifFrom: i32 = 0;
  exifTo: i32 = 0;
  private readonly bytes: Uint8Array;
  private readonly target: Target;
  private at: i32 = 2;
  private width: i32 = 0;
  private height: i32 = 0;
  private readonly tables: StaticArray<StaticArray<i32>> = new StaticArray<StaticArray<i32>>(4);
  private readonly dc: StaticArray<Huffman> = new StaticArray<Huffman>(4);
  private readonly ac: StaticArray<Huffman> = new StaticArray<Huffman>(4);
  private readonly components: Array<Component> = [];
  private restart: i32 = 0;
  private bits: u32 = 0;
  private bitCount: i32 = 0;
  private readonly block: StaticArray<i32> = new StaticArray<i32>(64);
  private readonly rows: StaticArray<f64> = new StaticArray<f64>(64);

  constructor(bytes: Uint8Array, target: Target) {
    this.bytes = bytes;
    this.target = target;
    for (let i = 0; i < 4; i++) {
      this.tables[i] = new StaticArray<i32>(64);
      this.dc[i] = new Huffman();
      this.ac[i] = new Huffman();
    }
  }

  /** Gives all pixels to the target. Returns false if something is wrong, and says it in `error`. */
  run(): bool {
    const bytes = this.bytes;
    if (bytes.length < 4 || bytes[0] != 0xff || bytes[1] != 0xd8) return this.fail("it is no JPEG");
    while (this.at + 4 <= bytes.length) {
      if (bytes[this.at] != 0xff) return this.fail("a marker is missing");
      const marker = <i32>bytes[this.at + 1];
      if (marker == 0xff) {
        this.at++;
        continue;
      }
      const length = this.word(this.at + 2);
      const from = this.at + 4;
      const end = this.at + 2 + length;
      if (length < 2 || end > bytes.length) return this.fail("it ends too early");
      if (!this.segment(marker, from, end)) return false;
      if (marker == 0xda) return true;
      this.at = end;
    }
    return this.fail("it has no picture");
  }

  private fail(why: string): bool {
    if (this.error == "") this.error = why;
    return false;
  }

  private word(at: i32): i32 {
    return ((<i32>this.bytes[at]) << 8) | <i32>this.bytes[at + 1];
  }

  private segment(marker: i32, from: i32, end: i32): bool {
    if (marker == 0xe1 && this.exifTo == 0) {
      this.exifFrom = from - 4;
      this.exifTo = end;
    }
    if (marker == 0xdb) return this.readTables(from, end);
    if (marker == 0xc4) return this.readHuffman(from, end);
    if (marker == 0xc0 || marker == 0xc1) return this.readFrame(from, end);
    if (marker == 0xdd) {
      if (end - from < 2) return this.fail("a segment is too short");
      this.restart = this.word(from);
    }
    if (marker == 0xda) return this.readScan(from, end);
    if (marker >= 0xc2 && marker <= 0xcf && marker != 0xc8 && marker != 0xcc) {
      return this.fail("it is a progressive (or lossless) JPEG; only baseline ones can be read");
    }
    return true;
  }

  private readTables(from: i32, end: i32): bool {
    for (let at = from; at < end;) {
      const head = <i32>this.bytes[at++];
      const bytesEach = head >> 4 == 0 ? 1 : 2;
      if ((head & 15) > 3 || at + 64 * bytesEach > end) return this.fail("a table is broken");
      const table = this.tables[head & 15];
      for (let i = 0; i < 64; i++) {
        table[i] = bytesEach == 1 ? <i32>this.bytes[at] : this.word(at);
        at += bytesEach;
      }
    }
    return true;
  }

  private readHuffman(from: i32, end: i32): bool {
    for (let at = from; at < end;) {
      const head = <i32>this.bytes[at++];
      if ((head & 15) > 3 || head >> 4 > 1 || at + 16 > end) return this.fail("a code is broken");
      let count = 0;
      for (let i = 0; i < 16; i++) count += <i32>this.bytes[at + i];
      if (at + 16 + count > end) return this.fail("a code is broken");
      const table = head >> 4 == 0 ? this.dc[head & 15] : this.ac[head & 15];
      if (!table.fill(this.bytes, at)) return this.fail("a code is broken");
      at += 16 + count;
    }
    return true;
  }

  private readFrame(from: i32, end: i32): bool {
    const bytes = this.bytes;
    const components = this.components;
    if (end - from < 6 || components.length > 0) return this.fail("its frame is broken");
    if (bytes[from] != 8) return this.fail("its samples have other than 8 bits");
    this.height = this.word(from + 1);
    this.width = this.word(from + 3);
    const count = <i32>bytes[from + 5];
    if (this.width == 0 || this.height == 0) return this.fail("it is empty");
    if ((count != 1 && count != 3) || end - from < 6 + 3 * count)
      return this.fail("it has other colours than YCbCr or grey");
    for (let i = 0; i < count; i++) {
      const at = from + 6 + 3 * i;
      const component = new Component();
      component.id = bytes[at];
      component.across = count == 1 ? 1 : <i32>bytes[at + 1] >> 4;
      component.down = count == 1 ? 1 : <i32>bytes[at + 1] & 15;
      component.table = <i32>bytes[at + 2] & 3;
      const across = component.across;
      const down = component.down;
      if (across < 1 || across > 4 || down < 1 || down > 4) return this.fail("its frame is broken");
      component.samples = new StaticArray<u8>(64 * across * down);
      components.push(component);
    }
    this.target.begin(this.width, this.height);
    return true;
  }

  private readScan(from: i32, end: i32): bool {
    const bytes = this.bytes;
    const components = this.components;
    const count = <i32>bytes[from];
    if (components.length == 0 || count != components.length || end - from < 4 + 2 * count) {
      return this.fail("its colours are in several scans, which can't be read");
    }
    for (let i = 0; i < count; i++) {
      const component = components[i];
      if (<i32>bytes[from + 1 + 2 * i] != component.id) return this.fail("its scan is broken");
      component.dc = (<i32>bytes[from + 2 + 2 * i] >> 4) & 3;
      component.ac = <i32>bytes[from + 2 + 2 * i] & 3;
    }
    this.at = end;
    return this.decode();
  }

  private decode(): bool {
    let across = 1;
    let down = 1;
    for (let i = 0; i < this.components.length; i++) {
      across = max(across, this.components[i].across);
      down = max(down, this.components[i].down);
    }
    const columns = (this.width + 8 * across - 1) / (8 * across);
    const rows = (this.height + 8 * down - 1) / (8 * down);
    const total = columns * rows;
    for (let mcu = 0; mcu < total; mcu++) {
      if (this.restart > 0 && mcu > 0 && mcu % this.restart == 0) this.skipRestart();
      for (let i = 0; i < this.components.length; i++) {
        const component = this.components[i];
        for (let y = 0; y < component.down; y++) {
          for (let x = 0; x < component.across; x++) {
            if (!this.readBlock(component)) return false;
            this.transform(component, x, y);
          }
        }
      }
      this.emit((mcu % columns) * 8 * across, (mcu / columns) * 8 * down, across, down);
    }
    return true;
  }

  private skipRestart(): void {
    this.bits = 0;
    this.bitCount = 0;
    const bytes = this.bytes;
    while (
      this.at + 1 < bytes.length &&
      !(bytes[this.at] == 0xff && bytes[this.at + 1] >= 0xd0 && bytes[this.at + 1] <= 0xd7)
    )
      this.at++;
    this.at += 2;
    for (let i = 0; i < this.components.length; i++) this.components[i].before = 0;
  }

  /** The next bit. Where the picture ends too early the bits are 0, so that the part that was read shows. */
  private bit(): i32 {
    if (this.bitCount == 0) {
      let byte: u32 = 0;
      if (this.at < this.bytes.length) {
        byte = this.bytes[this.at];
        if (byte == 0xff) {
          const next = this.at + 1 < this.bytes.length ? <u32>this.bytes[this.at + 1] : 0xd9;
          if (next == 0) this.at += 2;
          else byte = 0;
        } else this.at++;
      }
      this.bits = byte;
      this.bitCount = 8;
    }
    this.bitCount--;
    return <i32>((this.bits >> this.bitCount) & 1);
  }

  private receive(count: i32): i32 {
    let value = 0;
    for (let i = 0; i < count; i++) value = (value << 1) | this.bit();
    // The first bit says the sign (F.2.2.1).
    return count > 0 && value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
  }

  /** The next symbol; -1 if the bits are no code. */
  private symbol(table: Huffman): i32 {
    let code = 0;
    for (let length = 1; length <= 16; length++) {
      code = (code << 1) | this.bit();
      if (code <= table.maxCode[length]) return <i32>table.values[(code + table.offset[length]) & 255];
    }
    return -1;
  }

  private readBlock(component: Component): bool {
    const block = this.block;
    const table = this.tables[component.table];
    memory.fill(changetype<usize>(block), 0, 64 * 4);
    const size = this.symbol(this.dc[component.dc]);
    if (size < 0 || size > 11) return this.fail("its picture is broken");
    component.before += this.receive(size);
    block[0] = component.before * table[0];
    for (let k = 1; k < 64; k++) {
      const symbol = this.symbol(this.ac[component.ac]);
      if (symbol < 0) return this.fail("its picture is broken");
      const zeros = symbol >> 4;
      if ((symbol & 15) == 0) {
        if (zeros < 15) break;
        k += 15;
        continue;
      }
      k += zeros;
      if (k > 63) return this.fail("its picture is broken");
      block[<i32>ZIGZAG[k]] = this.receive(symbol & 15) * table[k];
    }
    return true;
  }

  /** The inverse transform (A.3.3), rows first, into the component's samples. */
  private transform(component: Component, column: i32, row: i32): void {
    const block = this.block;
    const rows = this.rows;
    for (let v = 0; v < 8; v++) {
      for (let x = 0; x < 8; x++) {
        let sum: f64 = 0;
        for (let u = 0; u < 8; u++) {
          const value = block[v * 8 + u];
          if (value != 0) sum += <f64>value * COSINES[u * 8 + x];
        }
        rows[v * 8 + x] = sum;
      }
    }
    const stride = 8 * component.across;
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        let sum: f64 = 128.5;
        for (let v = 0; v < 8; v++) sum += rows[v * 8 + x] * COSINES[v * 8 + y];
        component.samples[(row * 8 + y) * stride + column * 8 + x] = <u8>(
          max<i32>(0, min<i32>(255, <i32>Math.floor(sum)))
        );
      }
    }
  }

  private emit(left: i32, top: i32, across: i32, down: i32): void {
    const components = this.components;
    const target = this.target;
    const right = min(8 * across, this.width - left);
    const bottom = min(8 * down, this.height - top);
    const first = components[0];
    for (let y = 0; y < bottom; y++) {
      for (let x = 0; x < right; x++) {
        const light = this.sample(first, x, y, across, down);
        if (components.length == 1) {
          target.pixel(left + x, top + y, light, light, light);
          continue;
        }
        const blue = this.sample(components[1], x, y, across, down) - 128;
        const red = this.sample(components[2], x, y, across, down) - 128;
        // JFIF's colours, with 16 bits behind the point.
        const r = light + ((91_881 * red + 32_768) >> 16);
        const g = light - ((22_554 * blue + 46_802 * red + 32_768) >> 16);
        const b = light + ((116_130 * blue + 32_768) >> 16);
        target.pixel(left + x, top + y, clamped(r), clamped(g), clamped(b));
      }
    }
  }

  @inline
  private sample(component: Component, x: i32, y: i32, across: i32, down: i32): i32 {
    const column = (x * component.across) / across;
    const row = (y * component.down) / down;
    return <i32>component.samples[row * 8 * component.across + column];
  }
}

function clamped(value: i32): i32 {
  return max(0, min(255, value));
}
