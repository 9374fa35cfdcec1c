/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4; reflected polynomial 0x82f63b78): finds every burst of up to 32 flipped
 * bits. It guards against damage, not against malice. Four bytes a step (slicing, Kounavis and Berry 2005).
 */
const POLYNOMIAL = 0x82f63b78;

const tables = makeTables();

function makeTables(): readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array] {
  const out = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)] as const;
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    out[0][i] = crc;
  }
  for (let i = 0; i < 256; i++) {
    for (let k = 1; k < 4; k++) {
      const before = out[k - 1]![i]!;
      out[k]![i] = (before >>> 8) ^ out[0][before & 255]!;
    }
  }
  return out as unknown as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
}

/**
 * CRC of `bytes`, unsigned. Incremental: `crc32c(b, crc32c(a))` is the CRC of a followed by b.
 * @param crc CRC of what came before; 0 for nothing
 */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3] = tables;
  const length = bytes.length;
  let state = ~crc;
  let i = 0;
  for (const wordsEnd = length - 3; i < wordsEnd; i += 4) {
    state ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    state = t3[state & 255]! ^ t2[(state >>> 8) & 255]! ^ t1[(state >>> 16) & 255]! ^ t0[state >>> 24]!;
  }
  for (; i < length; i++) state = (state >>> 8) ^ t0[(state ^ bytes[i]!) & 255]!;
  return ~state >>> 0;
}
