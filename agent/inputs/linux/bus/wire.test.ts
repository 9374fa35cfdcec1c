import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PicketError } from '../../../../shared/errors.ts';
import { decodeMessage, encodeCall, messageLength } from './wire.ts';

const call = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
  member: 'ListUnitsFiltered',
  lists: [['failed', 'über']],
};

test('a call is aligned, and says its own length', () => {
  const bytes = Buffer.from(encodeCall(7, call));
  expect(messageLength(bytes)).toBe(bytes.length);
  expect(messageLength(bytes.subarray(0, 15))).toBe(0);
  // The body: the array's length, then texts on multiples of 4.
  const { signature, body, type, replySerial } = decodeMessage(bytes);
  expect([signature, type, replySerial]).toEqual(['as', 1, 0]);
  const end = body.arrayEnd(4);
  expect([body.text(), body.text(), body.at]).toEqual(['failed', 'über', end]);
});

test('a length that is too large is refused before memory is taken for it', () => {
  const bytes = Buffer.from(encodeCall(7, call));
  bytes.writeUInt32LE(0xffffffff, 4);
  expect(() => messageLength(bytes)).toThrow('are allowed');
});

test('whatever comes, it is a message or a problem of ours', () => {
  const whole = Buffer.from(encodeCall(7, call));
  const changes = fc.array(fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) }), { maxLength: 6 });
  const cut = fc.integer({ min: 16, max: whole.length });
  fc.assert(
    fc.property(changes, cut, (all, length) => {
      const bytes = Buffer.from(whole.subarray(0, length));
      for (const { at, byte } of all) if (at < bytes.length) bytes[at] = byte;
      try {
        messageLength(bytes);
        const { body, signature } = decodeMessage(bytes);
        if (signature !== 'as') return;
        const end = body.arrayEnd(4);
        while (body.at < end) body.text();
      } catch (error) {
        expect(error).toBeInstanceOf(PicketError);
      }
    }),
    { numRuns: 3000 },
  );
});
