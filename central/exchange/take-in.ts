/**
 * One file of an agent, taken in: every envelope goes to the running central, is committed, and its acknowledgement is
 * gathered. A few are on their way at a time. What is damaged or refused is named, and the rest is taken.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf, messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { unpackPayload } from '../../shared/transport/compress.ts';
import { type ExchangeHeader, problemOf, readExchange } from '../../shared/trust/exchange.ts';
import { parseReported } from '../../shared/trust/reported.ts';
import { decodeEnvelope } from '../../shared/wire/envelope.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { decodeRecord } from '../../shared/wire/record.ts';
import type { Answers } from './answers.ts';
import type { ExchangeClient } from './client.ts';

const UNDER_WAY = 4;
const TRIES = 50;
const RETRY_MS = 100;
/** Problems of one file that are told. */
const PROBLEMS = 20;
/** What is wrong with one envelope, and with no other. */
const ownProblems: readonly string[] = ['payload.invalid', 'payload.too_large', 'frame.corrupt'];

export interface TakenFile {
  readonly envelopes: number;
  readonly records: number;
  /** Hashes of the releases that the agent runs; null where it did not say. */
  readonly applied: ReadonlySet<string> | null;
  readonly problems: readonly string[];
}

/** Throws where the file is not to be believed, or the central takes nothing now. */
export async function takeIn(
  client: Pick<ExchangeClient, 'key' | 'records' | 'reported'>,
  { agent, series, number }: ExchangeHeader,
  source: AsyncIterable<Uint8Array>,
  answers: Answers,
): Promise<TakenFile> {
  const problems: string[] = [];
  const complain = (problem: string): void => {
    if (problems.length < PROBLEMS) problems.push(problem);
    else problems[PROBLEMS - 1] = 'and more';
  };
  let envelopes = 0;
  let records = 0;
  let applied: ReadonlySet<string> | null = null;
  let failure: unknown = null;
  const underWay = new Set<Promise<void>>();

  const send = async (payload: Uint8Array): Promise<void> => {
    try {
      const { frames } = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
      answers.take(await patiently(() => client.records(agent, payload)));
      envelopes++;
      records += frames.length;
    } catch (error) {
      if (ownProblems.includes(codeOf(error))) complain(`an envelope was refused: ${messageOf(error)}`);
      else failure ??= error;
    }
  };

  const report = async (bytes: Uint8Array): Promise<void> => {
    try {
      const { applied: running } = parseReported(bytes);
      await client.reported(agent, { series, number }, bytes);
      applied = new Set(running.map(({ releaseSha256 }) => releaseSha256));
    } catch (error) {
      if (ownProblems.includes(codeOf(error))) complain(`what the agent reported was refused: ${messageOf(error)}`);
      else failure ??= error;
    }
  };

  for await (const event of readExchange(source, (header) => client.key(header))) {
    if (failure !== null) break;
    const problem = problemOf(event);
    if (problem !== null) complain(problem);
    if (event.type !== 'message') continue;
    if (event.kind === 'records') {
      const sending = send(event.bytes).finally(() => underWay.delete(sending));
      underWay.add(sending);
      // They go over several connections, where one may overtake another. A summary that arrives before its table is
      // not settled, and that takes another stick.
      if (bringsTables(event.bytes)) await sending;
      if (underWay.size >= UNDER_WAY) await Promise.race(underWay);
    } else if (event.kind === 'reported') await report(event.bytes);
  }
  await Promise.all(underWay);
  if (failure !== null) throw failure;
  return { envelopes, records, applied, problems };
}

/** Whether what comes after these records may need them to be there. */
function bringsTables(payload: Uint8Array): boolean {
  try {
    const { epoch, frames } = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
    return frames.some((frame) => decodeRecord(readFrame(epoch, frame).record).kind === 'table');
  } catch {
    // What is wrong with it is told where it is sent.
    return false;
  }
}

/** Beside a connection of the same agent its queue may be full for a moment. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof PicketError && error.code === 'conflict' && tries < TRIES;
      if (!passing) throw error;
      await pause(RETRY_MS);
    }
  }
}
