/**
 * A few numbers as bytes: float64, little-endian. Read through a view of exactly these bytes, as they may be a part of
 * something larger at an odd offset, and a `Buffer`, whose `slice` is no copy.
 */

export function numbersBytes(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setFloat64(i * 8, number, true);
  return bytes;
}

/** So many numbers; none where the bytes are more or fewer than those. */
export function numbersIn(bytes: Uint8Array, count: number): readonly number[] {
  if (bytes.length !== count * 8) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => view.getFloat64(i * 8, true));
}
