import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NumberKind, type Order, orders, parseRegisterType, readBit, readNumber, readText } from './values.ts';

/** The bytes of a value as a device of this order sends them; written apart from the code under test. */
function stored(kind: NumberKind, value: number | bigint, order: Order): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  const sizes = { u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, u64: 8, i64: 8, f64: 8 };
  if (kind === 'u16') view.setUint16(0, Number(value));
  else if (kind === 'i16') view.setInt16(0, Number(value));
  else if (kind === 'u32') view.setUint32(0, Number(value));
  else if (kind === 'i32') view.setInt32(0, Number(value));
  else if (kind === 'f32') view.setFloat32(0, Number(value));
  else if (kind === 'f64') view.setFloat64(0, Number(value));
  else if (kind === 'u64') view.setBigUint64(0, BigInt(value));
  else view.setBigInt64(0, BigInt(value));
  const registers: number[][] = [];
  for (let at = 0; at < sizes[kind]; at += 2) registers.push([view.getUint8(at), view.getUint8(at + 1)]);
  if (order === 'CDAB' || order === 'DCBA') registers.reverse();
  if (order === 'BADC' || order === 'DCBA') for (const register of registers) register.reverse();
  return Uint8Array.from(registers.flat());
}

const anyValue: Readonly<Record<NumberKind, fc.Arbitrary<number>>> = {
  u16: fc.integer({ min: 0, max: 65_535 }),
  i16: fc.integer({ min: -32_768, max: 32_767 }),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  f32: fc.float(),
  u64: fc.maxSafeNat(),
  i64: fc.maxSafeInteger(),
  f64: fc.double(),
};

test.each(Object.keys(anyValue) as NumberKind[])('%s is read as it was stored, in every order', (kind) => {
  fc.assert(
    fc.property(anyValue[kind], fc.constantFrom(...orders), fc.nat(20), (value, order, offset) => {
      const bytes = stored(kind, kind.endsWith('64') && kind !== 'f64' ? BigInt(value) : value, order);
      const answer = new Uint8Array(offset + bytes.length + 4).fill(0xa5);
      answer.set(bytes, offset);
      expect(readNumber(answer, offset, { kind }, order)).toBe(value);
    }),
  );
});

test('21.5 as a float, in the orders as makers write them down', () => {
  const at = (...bytes: number[]) => Uint8Array.from(bytes);
  expect(readNumber(at(0x41, 0xac, 0x00, 0x00), 0, { kind: 'f32' }, 'ABCD')).toBe(21.5);
  expect(readNumber(at(0xac, 0x41, 0x00, 0x00), 0, { kind: 'f32' }, 'BADC')).toBe(21.5);
  expect(readNumber(at(0x00, 0x00, 0x41, 0xac), 0, { kind: 'f32' }, 'CDAB')).toBe(21.5);
  expect(readNumber(at(0x00, 0x00, 0xac, 0x41), 0, { kind: 'f32' }, 'DCBA')).toBe(21.5);
});

test('bits of registers count from the lowest, coils from the first byte on', () => {
  const register = Uint8Array.from([0x80, 0x01]);
  expect([0, 1, 14, 15].map((bit) => readNumber(register, 0, { kind: 'bit', bit }, 'ABCD'))).toEqual([1, 0, 0, 1]);
  const coils = Uint8Array.from([0b0000_0101, 0b0000_0010]);
  expect([0, 1, 2, 8, 9].map((index) => readBit(coils, index))).toEqual([1, 0, 1, 0, 1]);
});

describe('texts', () => {
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text));

  test('end at a NUL, without blanks around and control characters within', () => {
    expect(readText(bytes(' Pu\u0007mp\0rest'), 0, 5, 'ABCD')).toBe('Pump');
    expect(readText(bytes('uPpm1A  '), 0, 4, 'BADC')).toBe('PumpA1');
    expect(readText(Uint8Array.from([0xff, 0xfe, 0x41, 0x42]), 0, 2, 'ABCD')).toBe('\ufffd\ufffdAB');
  });
});

test('types are parsed as they are written, and what is none is refused with the reason', () => {
  expect(parseRegisterType('bit(15)')).toEqual({ kind: 'bit', bit: 15 });
  expect(parseRegisterType('text(8)')).toEqual({ kind: 'text', registers: 8 });
  for (const none of ['u8', 'bit', 'bit()', 'text(-1)', 'toString', '']) expect(parseRegisterType(none)).toBeNull();
  expect(() => parseRegisterType('bit(16)')).toThrow('0, the lowest, to 15');
  expect(() => parseRegisterType('text(0)')).toThrow('1 to 60 registers');
});
