import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentFlag, AuditEntry, FleetEvent } from './api.ts';
import { createAudit } from './audit.ts';
import { createBus } from './bus.ts';
import { IdentityWatch } from './identity.ts';
import { MemoryStore } from './store/memory.ts';
import type { IdentityFinding } from './store/store.ts';

const clock = { nowMs: 1_000_000 };
const epochs = (...letters: string[]) =>
  letters.map((letter) => ({ epoch: letter.repeat(32), boot: null, firstMs: clock.nowMs }));
const found = (kind: IdentityFinding['kind'], ...letters: string[]): IdentityFinding => ({
  kind,
  parent: kind === 'replaced' ? null : '0'.repeat(32),
  epochs: epochs(...letters),
  sinceMs: clock.nowMs,
});

let store: MemoryStore;
let findings: IdentityFinding[];
let shown: readonly AgentFlag[];
let news: FleetEvent[];
let watch: IdentityWatch;

function open(): IdentityWatch {
  const bus = createBus();
  bus.subscribe((event) => news.push(event));
  return new IdentityWatch({
    store: { documents: store.documents, identity: async () => findings },
    audit: createAudit(store.documents, () => clock.nowMs),
    bus,
    nowMs: () => clock.nowMs,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    show: (_agent, flags) => {
      shown = flags;
    },
  });
}

const audited = async () =>
  (await createAudit(store.documents, () => clock.nowMs).list(100)).map(({ action, target }: AuditEntry) => ({
    action,
    target,
  }));

beforeEach(async () => {
  store = new MemoryStore();
  findings = [];
  shown = [];
  news = [];
  watch = open();
  await watch.start(['m1']);
});
afterEach(() => watch.close());

test('a finding is announced once, shown until dismissed, and remembered through a restart', async () => {
  expect(shown).toEqual([]);
  findings = [found('clone', 'a', 'b')];
  await watch.look('m1');
  await watch.look('m1');
  expect(shown).toMatchObject([{ id: 'clone-bbbbbbbbbbbbbbbb', kind: 'clone' }]);
  expect(shown[0]!.advice).toContain('Enrol one of them anew');
  expect(news).toEqual([{ type: 'flag', agent: 'm1', flag: 'clone-bbbbbbbbbbbbbbbb' }]);
  expect(await audited()).toEqual([{ action: 'identity.clone', target: 'm1' }]);
  await watch.close();
  watch = open();
  await watch.start(['m1']);
  expect(shown).toHaveLength(1);
  expect(news).toHaveLength(1);
  await watch.dismiss('m1', 'clone-bbbbbbbbbbbbbbbb');
  expect(shown).toEqual([]);
  await expect(watch.dismiss('m1', 'clone-bbbbbbbbbbbbbbbb')).rejects.toMatchObject({ code: 'not_found' });
  await watch.look('m1');
  expect(shown).toEqual([]);
});

test('what turns out to be worse, and what happens again, is told again', async () => {
  findings = [found('rolled_back', 'a', 'b')];
  await watch.look('m1');
  await watch.dismiss('m1', shown[0]!.id);
  findings = [found('clone', 'a', 'b')];
  await watch.look('m1');
  expect(shown.map(({ kind }) => kind)).toEqual(['clone']);
  findings = [found('clone', 'a', 'b', 'c')];
  await watch.look('m1');
  expect(news.map((event) => (event.type === 'flag' ? event.flag[6] : ''))).toEqual(['_', 'b', 'c']);
});

test('after a hand-over one new disk is expected, and the next is not', async () => {
  await watch.handedOver('m1');
  clock.nowMs += 1000;
  findings = [found('replaced', 'a', 'b')];
  await watch.look('m1');
  expect(shown).toEqual([]);
  clock.nowMs += 1000;
  findings = [found('replaced', 'a', 'b', 'c')];
  await watch.look('m1');
  expect(shown.map(({ kind }) => kind)).toEqual(['replaced']);
});

test('a disk that was replaced before the hand-over stays flagged', async () => {
  findings = [found('replaced', 'a', 'b')];
  clock.nowMs += 1000;
  await watch.handedOver('m1');
  await watch.look('m1');
  expect(shown.map(({ kind }) => kind)).toEqual(['replaced']);
});
