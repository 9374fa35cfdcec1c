/** Damage of every kind to bytes that were right. */
type Random = () => number;

const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x10, 0x30, 0x82];

function at(random: Random, length: number): number {
  return Math.floor(random() * length);
}

function spliced(left: Uint8Array, right: Uint8Array, random: Random): Uint8Array {
  return Buffer.concat([left.subarray(0, at(random, left.length + 1)), right.subarray(at(random, right.length + 1))]);
}

/** One of the corpus, changed in one to four ways; never longer than `maxBytes`. */
export function mutated(corpus: readonly Uint8Array[], random: Random, maxBytes: number): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(corpus[at(random, corpus.length)]!);
  for (let changes = 1 + at(random, 4); changes > 0; changes--) {
    const place = at(random, bytes.length);
    switch (at(random, 7)) {
      case 0:
        if (bytes.length > 0) bytes[place]! ^= 1 << at(random, 8);
        break;
      case 1:
        if (bytes.length > 0) bytes[place] = INTERESTING[at(random, INTERESTING.length)]!;
        break;
      case 2:
        bytes = bytes.slice(0, place);
        break;
      case 3:
        bytes = Buffer.concat([bytes, Buffer.alloc(at(random, 64), at(random, 256))]);
        break;
      case 4:
        // A length, wherever one may stand.
        for (let i = place; i < Math.min(bytes.length, place + 4); i++) bytes[i] = 0xff;
        break;
      case 5: {
        const slice = bytes.slice(place, place + at(random, 32));
        bytes = Buffer.concat([bytes.subarray(0, place), slice, bytes.subarray(place)]);
        break;
      }
      default:
        bytes = spliced(bytes, corpus[at(random, corpus.length)]!, random);
    }
  }
  return bytes.length > maxBytes ? bytes.slice(0, maxBytes) : bytes;
}
