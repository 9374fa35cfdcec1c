import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PicketError } from '../../shared/errors.ts';
import type { ExchangeMessage } from '../../shared/trust/exchange.ts';
import { silentLog } from '../../test/support/timers.ts';
import { askAgent, callAgent } from './call.ts';
import type { Desk } from './desk.ts';
import { type Door, openDoor } from './door.ts';
import type { ImportResult } from './incoming.ts';

let folder: string;
let door: Door | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-door-'));
});
afterEach(async () => {
  await door?.close();
  door = null;
  rmSync(folder, { recursive: true });
});

const result: ImportResult = {
  outdated: false,
  pendingBefore: 3,
  pendingAfter: 1,
  blobs: 2,
  manifestVersion: 4,
  waiting: false,
  applied: [{ slot: 'model/seasonal', releaseSha256: 'ab'.repeat(32), appliedMs: 5 }],
  refusals: ['manifest.expired: it is old'],
};
const end: ExchangeMessage = { kind: 'end', bytes: Uint8Array.of(123, 125) };
const large: ExchangeMessage = { kind: 'records', bytes: new Uint8Array(60_000).fill(7) };

async function* of(...messages: readonly ExchangeMessage[]): AsyncGenerator<ExchangeMessage> {
  yield* messages;
}

/** A desk that exports so many large messages and remembers what it is given. */
function deskOf(count: number) {
  const seen: string[] = [];
  const desk: Desk = {
    async *export(roomBytes) {
      seen.push(`room ${roomBytes}`);
      for (let i = 0; i < count; i++) yield large;
      yield end;
    },
    async import(messages) {
      for await (const { kind, bytes } of messages) seen.push(`${kind} ${bytes.length}`);
      return result;
    },
  };
  return { desk, seen };
}

async function collect(messages: AsyncIterable<ExchangeMessage>): Promise<string[]> {
  const out: string[] = [];
  for await (const { kind, bytes } of messages) out.push(`${kind} ${bytes.length}`);
  return out;
}

test('an export comes whole, an import is answered, and each call is one of its own', async () => {
  const { desk, seen } = deskOf(200);
  door = await openDoor(folder, async () => desk, silentLog);
  expect(statSync(join(folder, 'agent.sock')).mode & 0o777).toBe(0o600);
  const agent = (await callAgent(folder))!;
  const all = await collect(agent.export(1234));
  expect([all.length, all.at(-1)]).toEqual([201, 'end 2']);
  // One that ends without its mark was cut off: what came is taken.
  expect(await agent.import(of(large, end))).toEqual(result);
  expect(await agent.import(of(large))).toEqual(result);
  expect(seen).toEqual(['room 1234', 'records 60000', 'end 2', 'records 60000', 'end 2']);
});

test('nobody listens: no socket, one that was left behind, a directory that is not there', async () => {
  expect(await callAgent(folder)).toBeNull();
  expect(await callAgent(join(folder, 'nothing', 'x'.repeat(120)))).toBeNull();
  writeFileSync(join(folder, 'agent.sock'), '');
  expect(await callAgent(folder)).toBeNull();
  // The next start takes its place.
  door = await openDoor(folder, async () => deskOf(0).desk, silentLog);
  expect(await collect((await callAgent(folder))!.export(1))).toEqual(['end 2']);
  await door.close();
  expect(existsSync(join(folder, 'agent.sock'))).toBe(false);
});

test('a directory with a path longer than a socket may have', async () => {
  const long = join(folder, 'd'.repeat(100), 'e'.repeat(100));
  mkdirSync(long, { recursive: true });
  door = await openDoor(long, async () => deskOf(1).desk, silentLog);
  expect(await collect((await callAgent(long))!.export(1))).toEqual(['records 60000', 'end 2']);
});

test('what goes wrong on either side is told, and nobody waits for ever', async () => {
  const refused = new PicketError('conflict', 'this machine is not enrolled yet');
  door = await openDoor(folder, () => Promise.reject(refused), silentLog);
  const agent = (await callAgent(folder))!;
  await expect(collect(agent.export(1))).rejects.toMatchObject({ code: 'conflict', message: refused.message });
  await expect(agent.import(of(large, large, end))).rejects.toMatchObject({ code: 'conflict' });
  await door.close();

  door = await openDoor(folder, async () => deskOf(0).desk, silentLog);
  const unreadable = new PicketError('signature.invalid', 'the file cannot be opened');
  async function* broken(): AsyncGenerator<ExchangeMessage> {
    yield large;
    throw unreadable;
  }
  const another = (await callAgent(folder))!;
  await expect(another.import(broken())).rejects.toBe(unreadable);
  expect(await another.import(of(end))).toEqual(result);
});

test('rubbish ends the call and not the agent', async () => {
  const { desk } = deskOf(1);
  door = await openDoor(folder, async () => desk, silentLog);
  for (const rubbish of [Buffer.alloc(100, 255), Buffer.from([2, 0, 0, 0, 1, 123]), Buffer.from([1, 0, 0, 0, 1])]) {
    const socket = connect(join(folder, 'agent.sock'));
    socket.end(rubbish);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  expect(await collect((await callAgent(folder))!.export(1))).toEqual(['records 60000', 'end 2']);
});

test('what else is asked is answered; what nobody knows is refused, and so is what cannot be done', async () => {
  const none = async (): Promise<Desk> => {
    throw new PicketError('conflict', 'not enrolled');
  };
  expect(await askAgent(folder, { do: 'mute' })).toBeNull();
  door = await openDoor(folder, none, silentLog, (request) => {
    if (request.do !== 'mute') return undefined;
    if (request.forMs === 0) throw new PicketError('usage.invalid', 'too short');
    return { got: request };
  });
  expect(await askAgent(folder, { do: 'mute', forMs: 1 })).toEqual({ got: { do: 'mute', forMs: 1 } });
  await expect(askAgent(folder, { do: 'mute', forMs: 0 })).rejects.toMatchObject({ code: 'usage.invalid' });
  await expect(askAgent(folder, { do: 'dance' })).rejects.toThrow('of another version');
});
