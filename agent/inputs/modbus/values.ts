/**
 * From registers to values. Modbus fixes the order of the two bytes of a register (high byte first) and leaves the
 * order of the registers of a longer value to the maker, so that all four orders are found; with A the highest byte:
 *
 *     ABCD  as Modbus means it          BADC  bytes of each register swapped
 *     CDAB  low register first          DCBA  both: little-endian
 *
 * For 64 bits read "all registers in reverse" for "low register first".
 */
export const orders = ['ABCD', 'BADC', 'CDAB', 'DCBA'] as const;
export type Order = (typeof orders)[number];

export type NumberKind = 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'u64' | 'i64' | 'f64';

/** How a value lies in its registers; `bit` counts from 0, the lowest. */
export type RegisterType =
  | { readonly kind: NumberKind | 'bool' }
  | { readonly kind: 'bit'; readonly bit: number }
  | { readonly kind: 'text'; readonly registers: number };

const numberRegisters: Readonly<Record<NumberKind, number>> = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  f32: 2,
  u64: 4,
  i64: 4,
  f64: 4,
};

/** Bytes of one text; two a register. */
const maxTextRegisters = 60;
const bitsPerRegister = 16;
const bytesPerRegister = 2;
const maxValueBytes = 8;

/** `u16`, `bit(3)`, `text(8)` (of registers), or null. */
export function parseRegisterType(written: string): RegisterType | null {
  if (written === 'bool' || Object.hasOwn(numberRegisters, written)) return { kind: written as NumberKind | 'bool' };
  const match = /^(bit|text)\((\d{1,3})\)$/.exec(written);
  if (match === null) return null;
  const argument = Number(match[2]);
  if (match[1] === 'bit') {
    if (argument >= bitsPerRegister) throw new Error('Bits count from 0, the lowest, to 15.');
    return { kind: 'bit', bit: argument };
  }
  if (argument < 1 || argument > maxTextRegisters) throw new Error(`A text has 1 to ${maxTextRegisters} registers.`);
  return { kind: 'text', registers: argument };
}

/** How many registers a value takes; a coil or discrete input takes one bit. */
export function registersOf(type: RegisterType): number {
  if (type.kind === 'text') return type.registers;
  return type.kind === 'bool' || type.kind === 'bit' ? 1 : numberRegisters[type.kind];
}

const scratch = new DataView(new ArrayBuffer(maxValueBytes));

/**
 * The number at a place in an answer's registers; NaN where a device says so in a float. Integers of 64 bits are exact
 * to 2^53, as any number here is.
 * @param offset in bytes; the caller has checked that the value lies within
 */
export function readNumber(registers: Uint8Array, offset: number, type: RegisterType, order: Order): number {
  const count = registersOf(type);
  arrange(registers, offset, count, order);
  switch (type.kind) {
    case 'u16':
      return scratch.getUint16(0);
    case 'i16':
      return scratch.getInt16(0);
    case 'u32':
      return scratch.getUint32(0);
    case 'i32':
      return scratch.getInt32(0);
    case 'f32':
      return scratch.getFloat32(0);
    case 'f64':
      return scratch.getFloat64(0);
    case 'u64':
      return scratch.getUint32(0) * 2 ** 32 + scratch.getUint32(4);
    case 'i64':
      return scratch.getInt32(0) * 2 ** 32 + scratch.getUint32(4);
    case 'bit':
      return (scratch.getUint16(0) >> type.bit) & 1;
    case 'bool':
      return scratch.getUint16(0) === 0 ? 0 : 1;
    case 'text':
      return Number.NaN;
  }
}

/** The bit at a place in an answer's coils; Modbus packs them from the lowest bit of the first byte. */
export function readBit(bits: Uint8Array, index: number): number {
  return (bits[index >> 3]! >> (index & 7)) & 1;
}

/** The text in an answer's registers, up to its first NUL, without control characters and blanks at its ends. */
export function readText(registers: Uint8Array, offset: number, count: number, order: Order): string {
  const swapped = order === 'BADC' || order === 'DCBA' ? 1 : 0;
  const bytes = Buffer.alloc(count * bytesPerRegister);
  let length = 0;
  for (; length < bytes.length; length++) {
    const byte = registers[offset + (length ^ swapped)]!;
    if (byte === 0) break;
    bytes[length] = byte;
  }
  const text = bytes.toString('utf8', 0, length);
  return text.replace(/\p{Cc}/gu, '').trim();
}

/** Puts the bytes of a value into `scratch`, highest first. */
function arrange(registers: Uint8Array, offset: number, count: number, order: Order): void {
  const reversed = order === 'CDAB' || order === 'DCBA';
  const swapped = order === 'BADC' || order === 'DCBA' ? 1 : 0;
  for (let register = 0; register < count; register++) {
    const from = offset + (reversed ? count - 1 - register : register) * bytesPerRegister;
    scratch.setUint8(register * bytesPerRegister, registers[from + swapped]!);
    scratch.setUint8(register * bytesPerRegister + 1, registers[from + (1 - swapped)]!);
  }
}
