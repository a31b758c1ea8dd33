/**
 * Walks over the instructions of a function: WebAssembly 2.0 with SIMD and tail calls. Everything else is refused as
 * "wasm-unsupported": threads and relaxed SIMD because their results differ between machines, the rest (garbage
 * collection, exceptions, several memories) because nobody has weighed it yet. It checks no types: the engine does.
 */
import { StarfishError } from "../../base/errors.ts";
import type { Reader } from "./reader.ts";

/** Bit of a memory argument's alignment that announces the number of a further memory. */
const MEMORY_INDEX_FLAG = 0x40;

/** Moves the reader behind the next instruction. */
export function skipInstruction(reader: Reader): void {
  const opcode = reader.byte();
  if (opcode >= 0x45 && opcode <= 0xc4) return; // arithmetic: no immediates
  if (opcode >= 0x28 && opcode <= 0x3e) return skipMemoryArgument(reader);
  switch (opcode) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0b: // end
    case 0x0f: // return
    case 0x1a: // drop
    case 0x1b: // select
    case 0xd1: // ref.is_null
      return;
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0xd0: // ref.null
      return reader.skipLeb(33);
    case 0x0c: // br
    case 0x0d: // br_if
    case 0x10: // call
    case 0x12: // return_call
    case 0x20: // local.get, .set, .tee
    case 0x21:
    case 0x22:
    case 0x23: // global.get, .set
    case 0x24:
    case 0x25: // table.get, .set
    case 0x26:
    case 0x3f: // memory.size, .grow
    case 0x40:
    case 0xd2: // ref.func
      return reader.skipLeb(32);
    case 0x11: // call_indirect
    case 0x13: // return_call_indirect
      reader.skipLeb(32);
      return reader.skipLeb(32);
    case 0x0e: // br_table
      for (let targets = reader.count(); targets >= 0; targets--) reader.skipLeb(32);
      return;
    case 0x1c: // select with types
      return reader.skip(reader.count());
    case 0x41: // i32.const
      return reader.skipLeb(32);
    case 0x42: // i64.const
      return reader.skipLeb(64);
    case 0x43: // f32.const
      return reader.skip(4);
    case 0x44: // f64.const
      return reader.skip(8);
    case 0xfc:
      return skipBulk(reader);
    case 0xfd:
      return skipVector(reader);
    case 0xfe:
      throw unsupported("threads");
    case 0xfb:
      throw unsupported("garbage collection");
    case 0x06: // try, catch, throw, rethrow, throw_ref, delegate, catch_all, try_table
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x18:
    case 0x19:
    case 0x1f:
      throw unsupported("exceptions");
    default:
      throw unsupported(`the instruction 0x${opcode.toString(16)}`);
  }
}

function skipBulk(reader: Reader): void {
  const operation = reader.u32();
  if (operation <= 7) return; // saturating truncations
  switch (operation) {
    case 8: // memory.init
    case 10: // memory.copy
    case 12: // table.init
    case 14: // table.copy
      reader.skipLeb(32);
      return reader.skipLeb(32);
    case 9: // data.drop
    case 11: // memory.fill
    case 13: // elem.drop
    case 15: // table.grow, .size, .fill
    case 16:
    case 17:
      return reader.skipLeb(32);
    default:
      throw unsupported(`the instruction 0xfc ${operation}`);
  }
}

function skipVector(reader: Reader): void {
  const operation = reader.u32();
  if (operation >= 0x100) throw unsupported("relaxed SIMD");
  if (operation <= 11 || operation === 92 || operation === 93) return skipMemoryArgument(reader); // loads, v128.store
  if (operation === 12 || operation === 13) return reader.skip(16); // v128.const, i8x16.shuffle
  if (operation >= 21 && operation <= 34) return reader.skip(1); // extract and replace lane
  if (operation >= 84 && operation <= 91) {
    skipMemoryArgument(reader); // load and store lane
    reader.skip(1);
  }
}

function skipMemoryArgument(reader: Reader): void {
  if ((reader.u32() & MEMORY_INDEX_FLAG) !== 0) throw unsupported("several memories");
  reader.skipLeb(32);
}

export function unsupported(what: string): StarfishError {
  return new StarfishError("wasm-unsupported", `The module uses ${what}, which Starfish does not run`);
}
