import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PacketGuard } from './packet-guard.ts';

/** A packet of this type with this many bytes after its fixed header (MQTT 3.1.1, 2.2.3). */
function packet(type: number, length: number): Uint8Array {
  const header = [type << 4];
  let rest = length;
  do {
    header.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return new Uint8Array([...header, ...new Uint8Array(length).fill(0xff)]);
}

describe('packet guard', () => {
  test('takes any run of packets within the limit, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
        (lengths, cuts) => {
          const bytes = lengths.flatMap((length) => [...packet(3, length)]);
          const guard = new PacketGuard(300);
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = cuts[i % cuts.length]!;
            expect(guard.accept(new Uint8Array(bytes.slice(at, at + size)))).toBe(true);
            at += size;
          }
        },
      ),
    );
  });

  test('refuses a packet at its header, before its bytes', () => {
    const guard = new PacketGuard(300);
    expect(guard.accept(packet(3, 300))).toBe(true);
    expect(guard.accept(packet(3, 301).subarray(0, 3))).toBe(false);
  });

  test('counts every byte of a packet that came before', () => {
    const guard = new PacketGuard(4);
    expect(guard.accept(packet(3, 4).subarray(0, 5))).toBe(true);
    // One byte of the first packet is still due; what follows it is a header.
    expect(guard.accept(new Uint8Array([0xff, 0x30, 5]))).toBe(false);
  });

  test('refuses a length of five bytes', () => {
    expect(new PacketGuard(Number.MAX_SAFE_INTEGER).accept(new Uint8Array([0x30, 0x80, 0x80, 0x80, 0x80]))).toBe(false);
  });
});
