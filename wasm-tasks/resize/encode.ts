/** Encodes baseline JPEG (ITU-T T.81) with the tables of Annex K, all three components at full size. */
import { AC_COUNTS, AC_VALUES, COSINES, DC_COUNTS, DC_VALUES, QUANTIZATION, ZIGZAG } from "./tables";

/** Codes by value: the code, with its length in the bits from 16 on. */
function codesOf(counts: StaticArray<u8>, values: StaticArray<u8>): StaticArray<u32> {
  const codes = new StaticArray<u32>(256);
  let code: u32 = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < <i32>counts[length - 1]; i++) codes[values[index++]] = ((<u32>length) << 16) | code++;
    code <<= 1;
  }
  return codes;
}

export class Encoder {
  private bytes: Uint8Array = new Uint8Array(64 * 1024);
  private length: i32 = 0;
  private bits: u32 = 0;
  private bitCount: i32 = 0;
  private readonly dc: StaticArray<u32> = codesOf(DC_COUNTS, DC_VALUES);
  private readonly ac: StaticArray<u32> = codesOf(AC_COUNTS, AC_VALUES);
  private readonly tables: StaticArray<StaticArray<i32>> = new StaticArray<StaticArray<i32>>(2);
  private readonly samples: StaticArray<f64> = new StaticArray<f64>(64);
  private readonly rows: StaticArray<f64> = new StaticArray<f64>(64);
  private readonly before: StaticArray<i32> = new StaticArray<i32>(3);
  private readonly quantized: StaticArray<i32> = new StaticArray<i32>(64);

  /** @param quality 1 to 100, as the IJG's library has it */
  constructor(quality: i32) {
    const scale = quality < 50 ? 5_000 / quality : 200 - 2 * quality;
    for (let t = 0; t < 2; t++) {
      const table = new StaticArray<i32>(64);
      for (let i = 0; i < 64; i++) table[i] = max(1, min(255, (<i32>QUANTIZATION[t][i] * scale + 50) / 100));
      this.tables[t] = table;
    }
  }

  /** Pixels are three bytes each. `exif` is a segment that is taken over, or empty. */
  encode(pixels: Uint8Array, width: i32, height: i32, exif: Uint8Array): Uint8Array {
    this.marker(0xd8);
    for (let i = 0; i < exif.length; i++) this.put(exif[i]);
    this.headers(width, height);
    for (let y = 0; y < height; y += 8) {
      for (let x = 0; x < width; x += 8) {
        for (let component = 0; component < 3; component++) {
          this.take(pixels, width, height, x, y, component);
          this.block(component);
        }
      }
    }
    if (this.bitCount > 0) this.code(0x7f, 7);
    this.marker(0xd9);
    return this.bytes.subarray(0, this.length);
  }

  private put(byte: i32): void {
    if (this.length == this.bytes.length) {
      const more = new Uint8Array(2 * this.length);
      memory.copy(more.dataStart, this.bytes.dataStart, this.length);
      this.bytes = more;
    }
    this.bytes[this.length++] = <u8>byte;
  }

  private word(value: i32): void {
    this.put(value >> 8);
    this.put(value);
  }

  private marker(code: i32): void {
    this.put(0xff);
    this.put(code);
  }

  private headers(width: i32, height: i32): void {
    for (let t = 0; t < 2; t++) {
      this.marker(0xdb);
      this.word(67);
      this.put(t);
      for (let i = 0; i < 64; i++) this.put(this.tables[t][ZIGZAG[i]]);
    }
    this.marker(0xc0);
    this.word(17);
    this.put(8);
    this.word(height);
    this.word(width);
    this.put(3);
    for (let component = 0; component < 3; component++) {
      this.put(component + 1);
      this.put(0x11);
      this.put(component == 0 ? 0 : 1);
    }
    this.huffman(0x00, DC_COUNTS, DC_VALUES);
    this.huffman(0x10, AC_COUNTS, AC_VALUES);
    this.marker(0xda);
    this.word(12);
    this.put(3);
    for (let component = 0; component < 3; component++) {
      this.put(component + 1);
      this.put(0x00);
    }
    this.put(0);
    this.put(63);
    this.put(0);
  }

  private huffman(id: i32, counts: StaticArray<u8>, values: StaticArray<u8>): void {
    this.marker(0xc4);
    this.word(19 + values.length);
    this.put(id);
    for (let i = 0; i < 16; i++) this.put(counts[i]);
    for (let i = 0; i < values.length; i++) this.put(values[i]);
  }

  /** Takes one block of one component; beyond the edge the last pixel is repeated. */
  private take(pixels: Uint8Array, width: i32, height: i32, left: i32, top: i32, component: i32): void {
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        const at = 3 * (min(top + y, height - 1) * width + min(left + x, width - 1));
        const r = <f64>pixels[at];
        const g = <f64>pixels[at + 1];
        const b = <f64>pixels[at + 2];
        let value: f64;
        if (component == 0) value = 0.299 * r + 0.587 * g + 0.114 * b - 128.0;
        else if (component == 1) value = -0.168735892 * r - 0.331264108 * g + 0.5 * b;
        else value = 0.5 * r - 0.418687589 * g - 0.081312411 * b;
        this.samples[y * 8 + x] = value;
      }
    }
  }

  private block(component: i32): void {
    const samples = this.samples;
    const rows = this.rows;
    const quantized = this.quantized;
    const table = this.tables[component == 0 ? 0 : 1];
    for (let y = 0; y < 8; y++) {
      for (let u = 0; u < 8; u++) {
        let sum: f64 = 0;
        for (let x = 0; x < 8; x++) sum += samples[y * 8 + x] * COSINES[u * 8 + x];
        rows[y * 8 + u] = sum;
      }
    }
    for (let k = 0; k < 64; k++) {
      const place = <i32>ZIGZAG[k];
      const u = place & 7;
      const v = place >> 3;
      let sum: f64 = 0;
      for (let y = 0; y < 8; y++) sum += rows[y * 8 + u] * COSINES[v * 8 + y];
      quantized[k] = <i32>Math.floor(sum / <f64>table[place] + 0.5);
    }
    const difference = quantized[0] - this.before[component];
    this.before[component] = quantized[0];
    this.value(this.dc, 0, difference);
    let zeros = 0;
    for (let k = 1; k < 64; k++) {
      if (quantized[k] == 0) {
        zeros++;
        continue;
      }
      for (; zeros > 15; zeros -= 16) this.symbol(this.ac, 0xf0);
      this.value(this.ac, zeros, quantized[k]);
      zeros = 0;
    }
    if (zeros > 0) this.symbol(this.ac, 0);
  }

  /** Writes the code for the size of a value and the zeros before it, then the value's bits (F.1.2). */
  private value(codes: StaticArray<u32>, zeros: i32, value: i32): void {
    const size = 32 - clz<i32>(abs<i32>(value));
    this.symbol(codes, (zeros << 4) | size);
    this.code(<u32>(value < 0 ? value - 1 : value) & ((1 << size) - 1), size);
  }

  private symbol(codes: StaticArray<u32>, symbol: i32): void {
    const code = codes[symbol];
    this.code(code & 0xffff, <i32>(code >> 16));
  }

  private code(code: u32, length: i32): void {
    for (let i = length - 1; i >= 0; i--) {
      this.bits = (this.bits << 1) | ((code >> i) & 1);
      if (++this.bitCount < 8) continue;
      const byte = this.bits & 0xff;
      this.put(byte);
      if (byte == 0xff) this.put(0);
      this.bitCount = 0;
      this.bits = 0;
    }
  }
}
