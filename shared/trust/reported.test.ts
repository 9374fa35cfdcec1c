import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChunkRequest, parseReported } from './reported.ts';
import { encodeJson } from './strict.ts';

const full = {
  agentVersion: '0.1.0',
  manifestVersion: 7,
  applied: [{ slot: 'model/seasonal', releaseSha256: 'a'.repeat(64), appliedMs: 5 }],
  supports: [{ kind: 'model/seasonal', major: 1, featureVersion: 1 }],
  refusals: [{ what: 'manifest:6', code: 'manifest.expired', message: 'manifest 6 expired', atMs: 9.5 }],
  commandsDone: ['c1'],
  health: { rssBytes: 5e7 },
  warnings: ['the disk is nearly full'],
  mutes: [{ id: 'm', rule: null, series: 'x*', reason: '', by: 'ann', fromMs: 5, untilMs: 9 }],
};

describe('what an agent reports', () => {
  it('comes through, without fields that this version does not know', () => {
    expect(parseReported(encodeJson({ ...full, later: 1 }))).toEqual(full);
  });

  it('of an agent that knows no mutes says none', () => {
    const { mutes: _, ...older } = full;
    expect(parseReported(encodeJson(older))).toEqual(older);
  });

  it.each([
    ['manifestVersion', { manifestVersion: -1 }],
    ['applied', { applied: Array.from({ length: 65 }, () => full.applied[0]) }],
    ['releaseSha256', { applied: [{ ...full.applied[0], releaseSha256: '../..' }] }],
    ['refusals', { refusals: Array.from({ length: 21 }, () => full.refusals[0]) }],
    ['message', { refusals: [{ ...full.refusals[0], message: 'x'.repeat(601) }] }],
    ['health.rssBytes', { health: { rssBytes: 'much' } }],
    ['warnings', { warnings: 'none' }],
    ['mutes', { mutes: Array.from({ length: 17 }, () => full.mutes[0]) }],
    ['untilMs', { mutes: [{ ...full.mutes[0], untilMs: 'never' }] }],
  ])('is refused by name with a bad %s', (field, change) => {
    expect(() => parseReported(encodeJson({ ...full, ...change }))).toThrow(
      expect.objectContaining({ code: 'payload.invalid', message: expect.stringContaining(field) }),
    );
  });

  it('from anything at all is a report or an error with a code', () => {
    fc.assert(
      fc.property(
        fc.record({ field: fc.constantFrom(...Object.keys(full)), value: fc.jsonValue() }),
        ({ field, value }) => {
          try {
            parseReported(encodeJson({ ...full, [field]: value }));
          } catch (error) {
            expect(error).toMatchObject({ code: 'payload.invalid' });
          }
        },
      ),
    );
  });
});

describe('a request for a chunk', () => {
  it('names a hash and a place within a blob', () => {
    expect(parseChunkRequest(encodeJson({ sha256: 'b'.repeat(64), index: 3 }))).toEqual({
      sha256: 'b'.repeat(64),
      index: 3,
    });
    for (const bad of [
      { sha256: 'b', index: 3 },
      { sha256: 'b'.repeat(64), index: -1 },
      { sha256: 'b'.repeat(64), index: 1e9 },
      [],
    ]) {
      expect(() => parseChunkRequest(encodeJson(bad))).toThrow(expect.objectContaining({ code: 'payload.invalid' }));
    }
  });
});
